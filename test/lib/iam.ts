import type { Template } from 'aws-cdk-lib/assertions';
import { resources, roleStatements } from './synthesise.ts';

/**
 * Evaluates the policies of a synthesised template as IAM would: identity policies, policies of buckets and keys, and
 * explicit denial before everything. It knows the parts of the language that the template uses, and throws at any
 * other, so that no statement is ever overlooked. (No package with a licence that fits does this.)
 */
export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  /** Condition keys of the request. */
  readonly context?: Readonly<Record<string, string | number>>;
}

interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: unknown;
  readonly Action: string | string[];
  readonly Resource?: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
}

interface PolicyDocument {
  readonly Statement: readonly Statement[];
}

const ACCOUNT = '111122223333';
const REGION = 'eu-central-1';

/** What every request of an SDK of today comes with. */
const USUAL_CONTEXT = { 'aws:SecureTransport': 'true', 's3:TlsVersion': 1.3 };

/** ARNs that resources of the template would have, were their names their logical ids where the template names them not. */
const ARNS: Readonly<Record<string, (id: string) => string>> = {
  'AWS::S3::Bucket': (id) => `arn:aws:s3:::${id}`,
  'AWS::KMS::Key': (id) => `arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`,
  'AWS::IAM::Role': (id) => `arn:aws:iam::${ACCOUNT}:role/${id}`,
  'AWS::Lambda::Function': (id) => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${id}`,
  // The ARN of a function and its alias begins with that of the function, which policies name as a whole or not at all.
  'AWS::Lambda::Alias': (id) => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${id}:alias`,
  'AWS::Logs::LogGroup': (id) => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${id}:*`,
  'AWS::SQS::Queue': (id) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${id}`,
  'AWS::SecretsManager::Secret': (id) => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${id}`,
  'AWS::StepFunctions::StateMachine': (id) => `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${id}`,
  'AWS::RDS::DBProxy': (id) => `arn:aws:rds:${REGION}:${ACCOUNT}:db-proxy:prx-${id}`,
  'AWS::SNS::Topic': (id) => `arn:aws:sns:${REGION}:${ACCOUNT}:${id}`,
};

/** The account of one template. */
export class Iam {
  /** Logical ids of all roles. */
  readonly roles: readonly string[];
  private readonly types: ReadonlyMap<string, string>;
  /** Names of state machines, by which policies know them. */
  private readonly machineNames = new Map<string, string>();
  private readonly tags = new Map<string, Readonly<Record<string, string>>>();
  private readonly identityPolicies = new Map<string, Statement[]>();
  private readonly resourcePolicies = new Map<string, Statement[]>();

  constructor(template: Template) {
    const all = (template.toJSON() as { Resources: Record<string, { Type: string }> }).Resources;
    this.types = new Map(Object.entries(all).map(([id, { Type }]) => [id, Type]));
    this.roles = resources(template, 'AWS::IAM::Role').map(([id]) => id);
    for (const [id, { Properties }] of resources(template, 'AWS::StepFunctions::StateMachine')) {
      const { StateMachineName: name } = Properties;
      if (typeof name === 'string') this.machineNames.set(id, name);
    }
    for (const [id, { Properties }] of resources(template, 'AWS::IAM::Role')) {
      const tags = (Properties['Tags'] ?? []) as { Key: string; Value: string }[];
      this.tags.set(id, Object.fromEntries(tags.map(({ Key, Value }) => [`aws:PrincipalTag/${Key}`, Value])));
    }
    const statements = roleStatements(template);
    for (const role of this.roles) {
      const own = statements.filter((each) => each.role === role);
      this.identityPolicies.set(
        role,
        own.map(({ statement }) => statement as Statement),
      );
    }
    for (const [, { Properties }] of resources(template, 'AWS::S3::BucketPolicy')) {
      const { Statement } = Properties['PolicyDocument'] as PolicyDocument;
      this.resourcePolicies.set(`arn:aws:s3:::${(Properties['Bucket'] as { Ref: string }).Ref}`, [
        ...Statement,
      ]);
    }
    for (const [id, { Properties }] of resources(template, 'AWS::KMS::Key')) {
      const { Statement } = Properties['KeyPolicy'] as PolicyDocument;
      // Of a key policy `*` is the key itself.
      this.resourcePolicies.set(this.arn(id), [...Statement]);
    }
  }

  /** ARN of a resource of the template. */
  arn(logicalId: string): string {
    const make = ARNS[this.types.get(logicalId) ?? ''];
    if (make === undefined)
      throw new Error(`no ARN for ${logicalId} (${this.types.get(logicalId) ?? 'unknown'})`);
    return make(this.machineNames.get(logicalId) ?? logicalId);
  }

  /** Whether a role may do something. `also`: statements that it has beside those of the template. */
  isAllowed(role: string, asked: AccessRequest, also: readonly Statement[] = []): boolean {
    const request = { ...asked, context: { ...asked.context, ...this.tags.get(role) } };
    const identity = [...(this.identityPolicies.get(role) ?? []), ...also];
    const ofResource = [...this.resourcePolicies].find(
      ([arn]) => request.resource === arn || request.resource.startsWith(`${arn}/`),
    );
    const principal = `arn:aws:iam::${ACCOUNT}:role/${role}`;
    const matching = identity.filter((statement) => this.matches(statement, request));
    const matchingOfResource = (ofResource?.[1] ?? []).filter((statement) =>
      this.matches(statement, request),
    );
    const named = matchingOfResource.filter((statement) => this.names(statement.Principal, principal));
    if ([...matching, ...named].some(({ Effect }) => Effect === 'Deny')) return false;
    if (named.some(({ Effect }) => Effect === 'Allow')) return true;
    // A key is not its account's unless its policy says so; then IAM decides. That of somebody else is taken to say so.
    const isKey = request.resource.startsWith('arn:aws:kms:') && ofResource !== undefined;
    const delegated = matchingOfResource.some(({ Principal }) =>
      this.names(Principal, `arn:aws:iam::${ACCOUNT}:root`),
    );
    return matching.some(({ Effect }) => Effect === 'Allow') && (!isKey || delegated);
  }

  private matches({ Action, Resource, Condition = {}, ...rest }: Statement, request: AccessRequest): boolean {
    const unknown = Object.keys(rest).filter((key) => !['Sid', 'Effect', 'Principal'].includes(key));
    if (unknown.length > 0) throw new Error(`a statement has ${unknown.join(', ')}, which is not known here`);
    const context = { ...USUAL_CONTEXT, ...request.context };
    return (
      [Action].flat().some((pattern) => like(pattern.toLowerCase(), request.action.toLowerCase())) &&
      [Resource].flat().some((pattern) => like(this.text(pattern), request.resource)) &&
      Object.entries(Condition).every(([operator, keys]) =>
        Object.entries(keys).every(([key, values]) =>
          holds(
            operator,
            context[key as keyof typeof context],
            [values].flat().map((value) => this.text(value)),
          ),
        ),
      )
    );
  }

  private names(principal: unknown, arn: string): boolean {
    if (principal === '*') return true;
    const { AWS, Service } = principal as { AWS?: unknown; Service?: unknown };
    if (AWS === undefined && Service === undefined)
      throw new Error(`unknown principal ${JSON.stringify(principal)}`);
    return [AWS ?? []].flat().some((each) => this.text(each) === '*' || this.text(each) === arn);
  }

  /** References of the template resolved. */
  text(value: unknown): string {
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    const {
      Ref,
      'Fn::GetAtt': attribute,
      'Fn::Join': join,
      'Fn::Select': select,
    } = value as Record<string, unknown>;
    if (typeof Ref === 'string') {
      const pseudo = { 'AWS::Partition': 'aws', 'AWS::Region': REGION, 'AWS::AccountId': ACCOUNT }[Ref];
      return pseudo ?? (this.types.get(Ref) === 'AWS::S3::Bucket' ? Ref : this.arn(Ref));
    }
    if (Array.isArray(attribute) && /^(DBProxy)?Arn$/.test(String(attribute[1])))
      return this.arn(String(attribute[0]));
    if (Array.isArray(join))
      return (join[1] as unknown[]).map((part) => this.text(part)).join(String(join[0]));
    if (Array.isArray(select)) {
      const [separator, source] = (select[1] as { 'Fn::Split': [string, unknown] })['Fn::Split'];
      return this.text(source).split(separator)[Number(select[0])] ?? '';
    }
    throw new Error(`cannot resolve ${JSON.stringify(value)}`);
  }
}

function like(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

/** A condition on a key that the request does not have does not hold. */
function holds(operator: string, actual: string | number | undefined, wanted: readonly string[]): boolean {
  if (actual === undefined) return false;
  switch (operator) {
    case 'StringEquals':
    case 'ArnEquals':
      return wanted.includes(String(actual));
    case 'StringLike':
    case 'ArnLike':
      return wanted.some((pattern) => like(pattern, String(actual)));
    case 'Bool':
      return wanted.includes(String(actual));
    case 'NumericLessThan':
      return wanted.some((limit) => Number(actual) < Number(limit));
    case 'NumericLessThanEquals':
      return wanted.some((limit) => Number(actual) <= Number(limit));
    default:
      throw new Error(`the condition operator ${operator} is not known here`);
  }
}
