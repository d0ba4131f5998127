import type { SynthesisedStack } from './cloud-assembly.ts';

/** What the stack's resources are on this machine. */
export interface StackContext {
  readonly region: string;
  /** What every S3 bucket of the stack is called. */
  readonly bucketName: string;
  /** Host in place of every RDS Proxy endpoint. */
  readonly databaseHost: string;
}

const ACCOUNT = '000000000000';

/** ARN of a Lambda function of the stack on this machine. */
export function functionArn(logicalId: string, { region }: StackContext): string {
  return `arn:aws:lambda:${region}:${ACCOUNT}:function:${logicalId}`;
}

/** ARN of a state machine of the stack on this machine. */
export function stateMachineArn(logicalId: string, { region }: StackContext): string {
  return `arn:aws:states:${region}:${ACCOUNT}:stateMachine:${logicalId}`;
}

/** ARN of a secret of the stack on this machine. */
export function secretArn(logicalId: string, { region }: StackContext): string {
  return `arn:aws:secretsmanager:${region}:${ACCOUNT}:secret:${logicalId}`;
}

/**
 * Makes a function that replaces the intrinsic functions of a template's value by what they stand for here. What is
 * not known is refused: a made-up value would run into something else later, and far from its cause.
 */
export function resolver(stack: SynthesisedStack, context: StackContext): (value: unknown) => unknown {
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [only] = entries;
    if (entries.length === 1 && only !== undefined && isIntrinsic(only[0]))
      return intrinsic(only[0], only[1]);
    return Object.fromEntries(entries.map(([key, member]) => [key, resolve(member)]));
  };

  const intrinsic = (name: string, argument: unknown): unknown => {
    if (name === 'Ref' && typeof argument === 'string') return reference(argument);
    if (name === 'Fn::GetAtt' && isTextList(argument) && argument.length === 2) {
      const [logicalId = '', attribute = ''] = argument;
      return reference(logicalId, attribute);
    }
    if (name === 'Fn::Join' && Array.isArray(argument) && Array.isArray(argument[1])) {
      return argument[1].map((part) => String(resolve(part))).join(String(argument[0]));
    }
    if (name === 'Fn::FindInMap' && isTextList(argument)) {
      const [mapping = '', key = '', member = ''] = argument;
      const found = stack.mappings[mapping]?.[key]?.[member];
      if (found !== undefined) return found;
    }
    throw new Error(`the template uses ${name} where the local runner cannot resolve it`);
  };

  const reference = (logicalId: string, attribute?: string): string => {
    const key = attribute === undefined ? logicalId : `${logicalId}.${attribute}`;
    const found = attribute === undefined ? pseudoParameter(logicalId, context) : undefined;
    if (found !== undefined) return found;
    if (stack.resources[logicalId]?.Type === 'AWS::Lambda::Alias' && attribute === undefined) {
      return aliasArn(logicalId);
    }
    const type = stack.resources[logicalId]?.Type ?? 'nothing that is in the template';
    const known = resourceReference(type, attribute, logicalId, context);
    if (known === undefined) throw new Error(`the local runner has no value for ${key} (${type})`);
    return known;
  };

  const aliasArn = (logicalId: string): string => {
    const { FunctionName, Name } = stack.resources[logicalId]?.Properties ?? {};
    return `${functionArn(String(resolve(FunctionName)), context)}:${String(Name)}`;
  };
  return resolve;
}

function isIntrinsic(key: string): boolean {
  return key === 'Ref' || key === 'Condition' || key.startsWith('Fn::');
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((member) => typeof member === 'string');
}

function pseudoParameter(name: string, { region }: StackContext): string | undefined {
  switch (name) {
    case 'AWS::Partition':
      return 'aws';
    case 'AWS::Region':
      return region;
    case 'AWS::AccountId':
      return ACCOUNT;
    case 'AWS::URLSuffix':
      return 'amazonaws.com';
    default:
      return undefined;
  }
}

function resourceReference(
  type: string,
  attribute: string | undefined,
  logicalId: string,
  context: StackContext,
): string | undefined {
  switch (`${type}.${attribute ?? 'Ref'}`) {
    case 'AWS::Lambda::Function.Arn':
      return functionArn(logicalId, context);
    case 'AWS::Lambda::Function.Ref':
      return logicalId;
    case 'AWS::StepFunctions::StateMachine.Ref':
      return stateMachineArn(logicalId, context);
    case 'AWS::SecretsManager::Secret.Ref':
      return secretArn(logicalId, context);
    case 'AWS::RDS::DBProxy.Endpoint':
      return context.databaseHost;
    case 'AWS::RDS::DBProxy.Ref':
      return logicalId;
    case 'AWS::S3::Bucket.Ref':
      return context.bucketName;
    case 'AWS::S3::Bucket.Arn':
      return `arn:aws:s3:::${context.bucketName}`;
    default:
      return undefined;
  }
}
