#!/bin/sh
# aws-local-stepfunctions 3.0.0: a state machine that takes other ways than in Step Functions, without an error. A Choice rule
# with a type test that is false (IsPresent, IsNull, IsString and so on) is never true, whatever the value, so the execution takes
# the Default; Not of the same test that is true works. In StringMatches a question mark stands for a character and * for no line
# end; in Step Functions only * is special, and stands for all. States.StringSplit splits by the whole text and not by each of its
# characters, and States.Base64Encode takes the text for Latin-1 and not for UTF-8.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error aws-local-stepfunctions@3.0.0 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { StateMachine } from 'aws-local-stepfunctions';

const end = (Result) => ({ Type: 'Pass', Result, End: true });

async function choose(rule, input) {
  const States = { ask: { Type: 'Choice', Choices: [{ ...rule, Next: 'yes' }], Default: 'no' }, yes: end('yes'), no: end('no') };
  const chosen = await new StateMachine({ StartAt: 'ask', States }).run(input).result;
  console.log(JSON.stringify(rule), 'of', JSON.stringify(input), 'is', chosen);
}

async function compute(expression) {
  const States = { pass: { Type: 'Pass', Parameters: { 'value.$': expression }, End: true } };
  const { value } = await new StateMachine({ StartAt: 'pass', States }).run({}).result;
  console.log(expression, 'is', JSON.stringify(value));
}

const Variable = '$.a';
await choose({ Variable, IsPresent: false }, {});
await choose({ Not: { Variable, IsPresent: true } }, {});
await choose({ Variable, IsNull: false }, { a: 1 });
await choose({ Variable, IsString: false }, { a: 1 });
await choose({ Variable, IsNumeric: false }, { a: 'x' });
await choose({ Variable, IsTimestamp: false }, { a: 'x' });
await choose({ Variable, StringMatches: 'a?c' }, { a: 'abc' });
await choose({ Variable, StringMatches: 'a*c' }, { a: 'a\nc' });
await compute("States.StringSplit('1,2;3', ',;')");
await compute("States.Base64Encode('\u00fc')");
PROGRAM

cat >seen <<'SEEN'
{"Variable":"$.a","IsPresent":false} of {} is no
{"Not":{"Variable":"$.a","IsPresent":true}} of {} is yes
{"Variable":"$.a","IsNull":false} of {"a":1} is no
{"Variable":"$.a","IsString":false} of {"a":1} is no
{"Variable":"$.a","IsNumeric":false} of {"a":"x"} is no
{"Variable":"$.a","IsTimestamp":false} of {"a":"x"} is no
{"Variable":"$.a","StringMatches":"a?c"} of {"a":"abc"} is yes
{"Variable":"$.a","StringMatches":"a*c"} of {"a":"a\nc"} is no
States.StringSplit('1,2;3', ',;') is ["1,2;3"]
States.Base64Encode('ü') is "/A=="
SEEN

node finding.mjs >now
diff seen now
