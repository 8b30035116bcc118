package syntax

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/postern-dev/postern/lang/source"
)

// Module is what the files of one project say, block by block in the order of
// file names and places. Values are unevaluated expressions; a nil expression
// was not written.
type Module struct {
	Settings        []*Settings
	Variables       []*Variable
	Locals          []*Local
	Outputs         []*Output
	Modules         []*ModuleCall
	Identities      []*Attributes
	Requests        []*Attributes
	Groups          []*Group
	Users           []*User
	Levels          []*Level
	Datasources     []*Datasource
	Tables          []*Table // tables and resources
	ServiceAccounts []*ServiceAccount
	Apps            []*App
	Policies        []*Policy
	Guards          []*Guard
	Masks           []*Mask
	Reports         []*Report
	Notifies        []*Notify
	Publishes       []*Publish

	Tests    []*Test
	Matrices []*Matrix
	Fixtures []*Fixtures
	Asserts  []*Assert
}

// Label is one label of a block.
type Label struct {
	Name string
	Span source.Span
}

// Header is what all blocks have: the type, the labels, the place of the two,
// and the expressions that most blocks share.
type Header struct {
	Type        string
	Labels      []Label
	Span        source.Span
	Description hcl.Expression
	ForEach     hcl.Expression

	// dynamic says that the body holds `dynamic` blocks, which need values.
	dynamic bool
	block   *hcl.Block
}

// Label is the i-th label's name, "" when there is none.
func (h *Header) Label(i int) string {
	if i < len(h.Labels) {
		return h.Labels[i].Name
	}
	return ""
}

// LabelSpan is the place of the i-th label, or of the header.
func (h *Header) LabelSpan(i int) source.Span {
	if i < len(h.Labels) {
		return h.Labels[i].Span
	}
	return h.Span
}

// The blocks, one type each; the fields are named after the arguments.
type (
	// Settings is the `postern` block.
	Settings struct {
		Header
		RequiredVersion hcl.Expression
		Project         hcl.Expression
		HashKey         hcl.Expression
	}
	// Variable is an input value.
	Variable struct {
		Header
		TypeExpr    hcl.Expression
		Default     hcl.Expression
		Sensitive   hcl.Expression
		Nullable    hcl.Expression
		Validations []*Validation
	}
	// Validation is a condition on a variable's value.
	Validation struct {
		Header
		Condition    hcl.Expression
		ErrorMessage hcl.Expression
	}
	// Local is one argument of a `locals` block.
	Local struct {
		Name  string
		Span  source.Span
		Value hcl.Expression
	}
	// Output is a value for whoever reads the project.
	Output struct {
		Header
		Value     hcl.Expression
		Sensitive hcl.Expression
	}
	// ModuleCall is a `module` block; what is no argument of the block itself is
	// an input.
	ModuleCall struct {
		Header
		Source hcl.Expression
		Inputs []*NamedExpr
	}
	// Notify is a `notify` block.
	Notify struct {
		Header
		Description, On, URL, Secret, DeadLetter hcl.Expression
	}

	// Publish is a `publish` block.
	Publish struct {
		Header
		Description, Targets, Wait hcl.Expression
		Parts                      []*PublishPart
	}
	// PublishPart is a block inside of a `publish` block.
	PublishPart struct {
		Header
		Kind string // folder, git, http, oci, s3, sign or opa
		Args map[string]hcl.Expression
	}

	// Attributes is an `identity` or `request` block.
	Attributes struct {
		Header
		Key        hcl.Expression
		Mode       hcl.Expression // the `identity` of a datasource, in a JSON file
		Attributes []*Attribute
	}
	// Attribute is one typed fact of an identity, a request or a resource.
	Attribute struct {
		Header
		TypeExpr hcl.Expression
		Claim    hcl.Expression
		Null     hcl.Expression
		Tags     hcl.Expression
		// Lookup is the first of `from`, `match` and `column`.
		Lookup hcl.Expression
		// From, Match and Column are those of a datasource's own identity block.
		From   hcl.Expression
		Match  hcl.Expression
		Column hcl.Expression
	}
	// Group is a named set of users.
	Group struct {
		Header
		MemberOf hcl.Expression
	}
	// User is a directory entry.
	User struct {
		Header
		Groups      hcl.Expression
		AccessLevel hcl.Expression
		Attributes  hcl.Expression
	}
	// Level is an `access_level` block.
	Level struct {
		Header
		Above hcl.Expression
	}

	// Datasource is a database or a service.
	Datasource struct {
		Header
		TypeExpr   hcl.Expression
		URL        hcl.Expression
		Identity   hcl.Expression
		Claims     hcl.Expression
		Owner      hcl.Expression
		Manage     hcl.Expression
		Identities []*Attributes
	}
	// Table is a `table` or a `resource` block.
	Table struct {
		Header
		Schema     hcl.Expression
		Name       hcl.Expression
		PrimaryKey hcl.Expression
		Manage     hcl.Expression
		Actions    hcl.Expression
		Filters    hcl.Expression
		Columns    []*Column
		Relations  []*Relation
	}
	// Column is a `column` of a table or an `attribute` of a resource.
	Column struct {
		Header
		TypeExpr hcl.Expression
		Null     hcl.Expression
		Tags     hcl.Expression
		Native   hcl.Expression
	}
	// Relation leads to the related records of another table.
	Relation struct {
		Header
		Table hcl.Expression
		On    hcl.Expression
		Many  hcl.Expression
	}
	// ServiceAccount is a login for one app.
	ServiceAccount struct {
		Header
		Datasource hcl.Expression
		Role       hcl.Expression
		Managed    hcl.Expression
		Manage     hcl.Expression
		Password   hcl.Expression
		ReadOnly   hcl.Expression
		Limits     []*Limits
	}
	// Limits are the session defaults of an account.
	Limits struct {
		Header
		Connections      hcl.Expression
		StatementTimeout hcl.Expression
		IdleTimeout      hcl.Expression
		ValidUntil       hcl.Expression
	}
	// App is a program through which users reach datasources.
	App struct {
		Header
		Users    hcl.Expression
		Connects []*Connect
	}
	// Connect is an app's way to one datasource.
	Connect struct {
		Header
		Datasource     hcl.Expression
		ServiceAccount hcl.Expression
		As             hcl.Expression
		SQL            hcl.Expression
	}

	// Policy grants actions.
	Policy struct {
		Header
		On      hcl.Expression
		To      hcl.Expression
		Allow   hcl.Expression
		When    hcl.Expression
		Check   hcl.Expression
		Columns hcl.Expression
		Via     hcl.Expression
	}
	// Guard narrows whatever the policies allow.
	Guard struct {
		Header
		On      hcl.Expression
		To      hcl.Expression
		Require hcl.Expression
	}

	// Mask narrows columns that policies include.
	Mask struct {
		Header
		On      hcl.Expression
		Columns hcl.Expression
		Unless  hcl.Expression
		With    hcl.Expression
	}
	// Report is a view that reports read.
	Report struct {
		Header
		From    hcl.Expression
		Where   hcl.Expression
		Columns hcl.Expression
		To      hcl.Expression
	}

	// Test is one test of a *.test.hcl file.
	Test struct {
		Header
		User    hcl.Expression
		App     hcl.Expression
		Now     hcl.Expression
		Request hcl.Expression
		Given   []*Given
		Expects []*Expect
	}
	// Matrix is tests of several users on the same records.
	Matrix struct {
		Header
		Users   hcl.Expression
		App     hcl.Expression
		Now     hcl.Expression
		Request hcl.Expression
		Given   []*Given
		Allows  []*Allow
	}
	// Allow is, for one action, the records of each user.
	Allow struct {
		Header
		Users []*NamedExpr
	}
	// Assert is what the project claims of itself.
	Assert struct {
		Header
		Never []*Never
	}
	// Never is a claim that nobody of some may do something.
	Never struct {
		Header
		Who     hcl.Expression
		Action  hcl.Expression
		On      hcl.Expression
		Columns hcl.Expression
		App     hcl.Expression
		When    hcl.Expression
	}
	// Fixtures are the records that all tests of a file share.
	Fixtures struct {
		Header
		Given []*Given
	}
	// Given is the records of one table; the arguments are the records' names.
	Given struct {
		Header
		Records []*NamedExpr
	}
	// Expect is what a test expects: a list of records for each action.
	Expect struct {
		Header
		Actions []*NamedExpr
		Writes  []*Write
		Sights  []*Sight
		Rows    []*Rows
	}
	// Write is one attempted write.
	Write struct {
		Header
		From    hcl.Expression
		To      hcl.Expression
		Table   hcl.Expression
		Allowed hcl.Expression
	}
	// Sight is what a test expects to be seen of a record.
	Sight struct {
		Header
		Visible hcl.Expression
		Masked  hcl.Expression
	}
	// Rows is what a test expects a report to show.
	Rows struct {
		Header
		Rows hcl.Expression
	}
	// NamedExpr is a free argument.
	NamedExpr struct {
		Name  string
		Span  source.Span
		Value hcl.Expression
	}
)
