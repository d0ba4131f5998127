#!/bin/sh
# aws-local-stepfunctions 3.0.0: a definition with "QueryLanguage": "JSONata" is taken and run, and what it says is not
# evaluated: a Pass state returns its input instead of its Output, and a Choice whose Condition is true takes the Default.
# No error, no warning. (Step Functions returns {"sum":2}, and takes the choice.)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error aws-local-stepfunctions@3.0.0 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { StateMachine } from 'aws-local-stepfunctions';

const run = (definition) => {
  // Its validator knows JSONPath only.
  const machine = new StateMachine({ QueryLanguage: 'JSONata', ...definition }, { validationOptions: { noValidate: true } });
  return machine.run({ a: 1 }).result;
};
const sum = { Type: 'Pass', Output: { sum: '{% $states.input.a + 1 %}' }, End: true };
console.log('Pass:', JSON.stringify(await run({ StartAt: 'A', States: { A: sum } })));
const choice = { Type: 'Choice', Choices: [{ Condition: '{% $states.input.a = 1 %}', Next: 'Yes' }], Default: 'No' };
const end = (Result) => ({ Type: 'Pass', Result, End: true });
const States = { A: choice, Yes: end('Condition'), No: end('Default') };
console.log('Choice:', JSON.stringify(await run({ StartAt: 'A', States })));
PROGRAM

cat >seen <<'SEEN'
Pass: {"a":1}
Choice: "Default"
SEEN

node finding.mjs >now
diff seen now
