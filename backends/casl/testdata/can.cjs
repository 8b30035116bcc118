// Answers questions with the real CASL. Its folder is the argument; the input
// is {"cases": [{"rules", "records", "questions": [[action, record, field]]}]},
// the output an array of arrays of booleans.
const { createRequire } = require('node:module');
const { readFileSync } = require('node:fs');

const load = createRequire(process.argv[2] + '/');
const { createMongoAbility, buildMongoQueryMatcher, subject } = load('@casl/ability');
const { $mod, mod } = load('@ucast/mongo2js');

const { cases } = JSON.parse(readFileSync(0, 'utf8'));
const out = cases.map(({ rules, records, questions }) => {
  const ability = createMongoAbility(rules, { conditionsMatcher: buildMongoQueryMatcher({ $mod }, { mod }) });
  return questions.map(([action, record, field]) => ability.can(action, subject('crm.deal', { ...records[record] }), field || undefined));
});
process.stdout.write(JSON.stringify(out));
