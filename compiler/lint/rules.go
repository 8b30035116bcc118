package lint

// Rule is one kind of advice.
type Rule struct {
	Name    string
	Summary string // one sentence
	Reason  string // why it matters
}

// The names of the rules.
const (
	DescriptionMissing = "description-missing"
	PolicyCovered      = "policy-covered"
	ConditionNever     = "condition-never"
	ConditionAlways    = "condition-always"
	GuardNeverNarrows  = "guard-never-narrows"
	AppGivesNothing    = "app-without-access"
	AccountUnused      = "account-unused"
	AccountWritable    = "account-not-read-only"
	GroupDuplicate     = "group-duplicate"
	LevelDuplicate     = "access-level-duplicate"
	IgnoreReason       = "ignore-without-reason"
	IgnoreUnknown      = "ignore-unknown"
	IgnoreUnused       = "ignore-unused"
)

// Rules lists all rules, in the order of docs/lints.md.
func Rules() []Rule {
	return []Rule{
		{
			DescriptionMissing, "A policy, guard or service account has no description.",
			"Who reviews a change has to know what a rule is for, and a condition does not say why it is there.",
		},
		{
			PolicyCovered, "Without the policy on the table nobody would lose anything.",
			"Whoever removes or narrows it believes to have taken something away. " +
				"Where several policies cover each other, those that may go together are found, and the first ones stay.",
		},
		{
			ConditionNever, "A condition can hold for nobody whom its rule is for.",
			"A policy with it grants nothing, a guard with it lets nothing through; mostly a comparison is the wrong way round, or a text misspelt.",
		},
		{
			ConditionAlways, "A condition holds for everybody whom its rule is for, and for every record.",
			"It reads as if it kept something back, and it does not.",
		},
		{
			GuardNeverNarrows, "Without the guard nobody would gain anything on any table.",
			"It reads as a protection, and policies already allow no more than it does.",
		},
		{
			AppGivesNothing, "Nobody may do anything through an app.",
			"Its users come in, mostly with an account and a password, to find nothing: a policy is missing, or the app is not needed any more.",
		},
		{
			AccountUnused, "A service account is used by no app, though its datasource has apps.",
			"It is a login for nobody, whose password somebody has to keep.",
		},
		{
			AccountWritable, "A service account may write, and no policy that counts through it allows a write.",
			"With read_only = true a statement that writes fails at once, whatever is granted by mistake later.",
		},
		{
			GroupDuplicate, "Being in one group gives the same access as being in another.",
			"Two names for one role drift apart with the first change that forgets one of them, and who reviews access has to read both. " +
				"Who is in them does not matter, and groups that no rule names are left alone.",
		},
		{
			LevelDuplicate, "An access level gives the same access as another.",
			"Whoever is raised to it, or lowered from it, is believed to gain or lose something.",
		},
		{
			IgnoreReason, "A comment ignores a rule and does not say why.",
			"Whoever reads it later cannot tell whether it still holds. It ignores nothing until it has a reason.",
		},
		{
			IgnoreUnknown, "A comment ignores a rule that there is not.",
			"It ignores nothing: the name is misspelt.",
		},
		{
			IgnoreUnused, "A comment ignores a finding that there is not.",
			"The finding is gone, or the comment does not stand at its block; left there, it would hide the next one.",
		},
	}
}

func known(name string) bool {
	for _, r := range Rules() {
		if r.Name == name {
			return true
		}
	}
	return false
}
