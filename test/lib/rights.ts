/** What each function may do, as rights.txt shows it: steps, login, and the statements of its role. */
import { Iam } from './iam.ts';
import { resources, roleStatements, synthesise, withAdministrator, withQuery } from './synthesise.ts';
import type { PolicyStatement } from './synthesise.ts';
import {
  deploymentOf,
  FUNCTION_NAMES,
  FUNCTIONS,
  type FunctionName,
} from '../../lib/functions/function-table.ts';
import { constructId } from '../../lib/functions/functions.ts';

const HEADER = `The rights of each function: its steps, by the workflows that may ask for them; the database role that it
logs in as; and what its role may do, in the bucket and elsewhere. From the example file with an administrator,
queries, a streamed set, Glue and Object Lock. Left out is what all have: logs, traces, and network interfaces of
those with a login.
`;

/** What every function has. */
const COMMON = /^(logs|xray|ec2):/;

/** The text of rights.txt. */
export function rights(): string {
  const template = synthesise({
    ...withAdministrator(),
    partitionSets: [...withQuery().partitionSets, { schema: 'public', table: 'streamed', export: 'stream' }],
    glueDatabase: 'shop_archive',
    archive: { objectLock: { days: 365, mode: 'COMPLIANCE' } },
    env: undefined,
  });
  const statements = roleStatements(template);
  const iam = new Iam(template);
  const roles = resources(template, 'AWS::IAM::Role').map(([id]) => id);
  const linesOf = (name: FunctionName): string[] => {
    const role = roles.find((id) =>
      new RegExp(`^ArchiverFunctions${constructId(name)}Role[0-9A-F]{8}$`).test(id),
    );
    if (role === undefined) throw new Error(`${name} has no role`);
    return statements
      .filter(({ role: of }) => of === role)
      .flatMap(({ statement }) => lineOf(statement, iam))
      .sort();
  };
  return [HEADER, ...FUNCTION_NAMES.map((name) => [titleOf(name), ...linesOf(name), ''].join('\n'))].join(
    '\n',
  );
}

function titleOf(name: FunctionName): string {
  const groups = Object.entries<readonly string[]>(FUNCTIONS[name].steps);
  const steps = groups.map(([group, each]) =>
    groups.length === 1 ? each.join(', ') : `${group} (${each.join(', ')})`,
  );
  return [name, `  steps: ${steps.join(', ')}`, `  logs in as: ${deploymentOf(name).login}`].join('\n');
}

/** A statement as a line: actions, resources, conditions. */
function lineOf({ Effect, Action, Resource, Condition = {} }: PolicyStatement, iam: Iam): string[] {
  const actions = [Action].flat().filter((action) => !COMMON.test(action));
  if (actions.length === 0) return [];
  if (Effect !== 'Allow') throw new Error(`a statement of a function's role denies ${actions.join()}`);
  const places = [Resource].flat().map((each) => shortened(iam.text(each)));
  const conditions = Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => {
      const wanted = [values].flat().map((each) => shortened(iam.text(each)));
      return `${key} ${OPERATORS[operator] ?? operator} ${wanted.join(' or ')}`;
    }),
  );
  const condition = conditions.length === 0 ? '' : `, if ${conditions.join(' and ')}`;
  return [`  ${actions.join(', ')}: ${places.join(', ')}${condition}`];
}

const OPERATORS: Readonly<Record<string, string>> = {
  StringEquals: '=',
  StringLike: 'like',
  NumericLessThanEquals: '<=',
};

/** ARNs without service, account, region and the hashes of logical ids. */
const shortened = (arn: string): string =>
  arn
    .replace(/^arn:aws:\w[\w-]*:[^:]*:[^:]*:/, '')
    .replaceAll(/([a-z])[0-9A-F]{8}(?=\/|$)/g, '$1')
    .replace('ArchiverArchiveBucket', 'bucket')
    .replace('key/ArchiverArchiveKey', 'key')
    .replace('.eu-central-1.amazonaws.com', '')
    .replace('secret:ArchiverDatabaseArchiver', '');
