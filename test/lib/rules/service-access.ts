import { listOf, ofType, referenceOf, type CloudTemplate } from './rule.ts';

interface Statement {
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What a service sends with each request that it makes for a resource of this account. */
const CONTEXT: Readonly<Record<string, (value: string) => boolean>> = {
  'aws:SourceAccount': (value) => value === 'AWS::AccountId' || /^\d{12}$/.test(value),
  'aws:SecureTransport': (value) => value === 'true',
};

/**
 * Whether a resource policy lets an AWS service in. A service has no identity policy, so that a policy without an Allow
 * for it denies. A condition whose key the service does not send does not hold.
 */
export function isServiceAllowed(statements: readonly Statement[], service: string, action: string): boolean {
  const matching = statements.filter(
    (statement) =>
      namesService(statement.Principal, service) &&
      listOf(statement.Action).some((pattern) => isLike(String(pattern), action)) &&
      holds(statement.Condition),
  );
  return (
    matching.some(({ Effect }) => Effect === 'Allow') && !matching.some(({ Effect }) => Effect === 'Deny')
  );
}

/** The statements of all policies of a topic, or of a queue or bucket. */
export function policiesOf(
  template: CloudTemplate,
  type: string,
  property: string,
  logicalId: string,
): Statement[] {
  return ofType(template, type)
    .filter(([, properties]) => listOf(properties[property]).some((each) => referenceOf(each) === logicalId))
    .flatMap(([, properties]) => statementsOf(properties['PolicyDocument']));
}

/** The statements of a policy document. */
export function statementsOf(document: unknown): Statement[] {
  return [...((document as { Statement?: readonly Statement[] } | undefined)?.Statement ?? [])];
}

function namesService(principal: unknown, service: string): boolean {
  if (principal === '*') return true;
  const { Service, AWS } = (principal ?? {}) as { Service?: unknown; AWS?: unknown };
  return listOf(Service).includes(service) || listOf(AWS).includes('*');
}

function isLike(pattern: string, action: string): boolean {
  return new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'i').test(action);
}

function holds(condition: Statement['Condition'] = {}): boolean {
  return Object.values(condition).every((keys) =>
    Object.entries(keys).every(([key, value]) =>
      listOf(value).some((each) => CONTEXT[key]?.(referenceOf(each) ?? String(each)) === true),
    ),
  );
}
