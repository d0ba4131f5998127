/** What of a change CloudFormation refuses, or loses. */
import { ingressOf } from '../rules/no-duplicate-ingress.ts';
import { NAMES } from '../rules/names-follow-replacements.ts';
import { ofType, referenceOf, textOf, type CloudTemplate } from '../rules/rule.ts';
import { refersTo, type Change } from './compare.ts';

/** Types that hold what cannot be made again. */
const DATA: readonly string[] = ['AWS::S3::Bucket', 'AWS::KMS::Key'];

/** The key of alarms encrypts nothing that lasts. */
const OF_ALARMS = 'ArchiverAlarmsTopicKey';

/**
 * Names and rules that are made while those of before are still there: CloudFormation deletes last.
 *
 * Sources: "Name type", AWS CloudFormation User Guide; `InvalidPermission.Duplicate`, "Error codes for the Amazon EC2 API".
 */
export function refusals(before: CloudTemplate, after: CloudTemplate, change: Change): string[] {
  const made = new Set([...change.added, ...change.replaced.map(({ id }) => id)]);
  const names = namesOf(before);
  const taken = [...namesOf(after)].flatMap(([name, id]) => {
    const holder = names.get(name);
    return made.has(id) && holder !== undefined ? [`${id} is made with the name of ${holder}: ${name}`] : [];
  });
  return [...taken, ...duplicateRules(before, after, change)];
}

/** The resources that a template names itself, by type and name. */
function namesOf(template: CloudTemplate): Map<string, string> {
  return new Map(
    Object.entries(template.Resources).flatMap(([id, { Type, Properties = {} }]): [string, string][] => {
      const name = Properties[NAMES[Type] ?? ''];
      if (Type === 'AWS::Lambda::Alias') {
        return [[`${Type} ${textOf(Properties['FunctionName'])} ${textOf(Properties['Name'])}`, id]];
      }
      return name === undefined ? [] : [[`${Type} ${textOf(name)}`, id]];
    }),
  );
}

/** Rules of security groups that a new resource has while the former resource still has them. */
function duplicateRules(before: CloudTemplate, after: CloudTemplate, change: Change): string[] {
  const replaced = new Map(change.replaced.map((each) => [each.id, each]));
  const existing = ofType(before, 'AWS::EC2::SecurityGroupIngress');
  return ofType(after, 'AWS::EC2::SecurityGroupIngress')
    .filter(([id]) => change.added.includes(id) || replaced.has(id))
    .flatMap(([id, rule]) => {
      // A rule between other groups than before is another one, whatever its text is.
      if (refersTo(rule, replaced)) return [];
      const same = existing.find(([, other]) => ruleOf(other) === ruleOf(rule));
      return same === undefined ? [] : [`${id} is the rule that ${same[0]} is: ${ruleOf(rule)}`];
    });
}

function ruleOf(Properties: Readonly<Record<string, unknown>>): string {
  return ingressOf({ Resources: { Rule: { Type: 'AWS::EC2::SecurityGroupIngress', Properties } } }).join();
}

/** Data that is replaced, or deleted with what leaves the template; and a kept bucket that loses its policy. */
export function losses(before: CloudTemplate, change: Change): string[] {
  const replaced = change.replaced.flatMap(({ id, type, by }) =>
    DATA.includes(type) ? [`${id} is replaced by ${by.join()}`] : [],
  );
  const removed = change.removed.flatMap((id) => {
    const { Type, DeletionPolicy } = before.Resources[id]!;
    const isData = DATA.includes(Type) || Type === 'AWS::S3::BucketPolicy';
    return isData && !id.startsWith(OF_ALARMS) && !isKept(DeletionPolicy) ? [`${id} is deleted`] : [];
  });
  return [...replaced, ...removed];
}

/** Whether what leaves the template stays in the account. */
export const isKept = (policy: string | undefined): boolean =>
  policy === 'Retain' || policy === 'RetainExceptOnCreate';

/**
 * Keys of the archive that a role could decrypt with and no longer can. `sameKey` says which literal ARN stands for the
 * key that the template made.
 */
export function lostKeys(before: CloudTemplate, after: CloudTemplate, sameKey: string): string[] {
  const now = new Map(readers(after).map(([role, keys]) => [role, keys.map((key) => nameOf(key, sameKey))]));
  return readers(before).flatMap(([role, keys]) =>
    keys
      .map((key) => nameOf(key, sameKey))
      .filter((key) => now.has(role) && now.get(role)?.includes(key) === false)
      .map((key) => `${role} no longer decrypts with ${key}`),
  );
}

const nameOf = (key: unknown, sameKey: string): string =>
  referenceOf(key)?.startsWith('ArchiverArchiveKey') === true ? sameKey : textOf(key);

/** Roles with the keys that they may decrypt with through S3. */
function readers(template: CloudTemplate): [role: string, keys: unknown[]][] {
  return ofType(template, 'AWS::IAM::Role').map(([id, { Policies = [] }]) => {
    const statements = (Policies as { PolicyDocument: { Statement: Statement[] } }[]).flatMap(
      ({ PolicyDocument }) => PolicyDocument.Statement,
    );
    return [
      id,
      statements
        .filter(({ Sid }) => Sid === 'UseKeyThroughS3' || Sid === 'ReadWithFormerKeys')
        .flatMap(({ Resource }) => Resource),
    ];
  });
}

interface Statement {
  readonly Sid?: string;
  readonly Resource: unknown;
}
