import aslValidator from 'asl-validator';
import { readStack, type SynthesisedStack, type TemplateResource } from './cloud-assembly.ts';
import type { StateMachineDefinition } from './definition.ts';
import { assertFaithful } from './assert-faithful.ts';
import { functionArn, resolver, secretArn, type StackContext, stateMachineArn } from './resolve.ts';

/** Key of the metadata by which the stack says whose password a secret holds; written by `lib/database/access.ts`. */
const DATABASE_ROLE_METADATA = 'partition-archiver:database-role';

/** Key of the metadata that marks a workflow of ours beside state machines that the CDK makes for itself. */
const WORKFLOW_METADATA = 'partition-archiver:workflow';

/** What {@link loadStateMachine} wants to know. */
export interface LoadOptions extends StackContext {
  /**
   * Which workflow.
   *
   * @default 'archive'
   */
  readonly workflow?: string;
}

/** A Lambda function as the template configures it. */
export interface LocalFunction {
  readonly arn: string;
  readonly logicalId: string;
  /** Folder of its bundle. */
  readonly directory: string;
  /** Such as `index.handler`. */
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** A state machine that can be run here, with its functions. */
export interface LocalStateMachine {
  readonly name: string;
  readonly arn: string;
  readonly region: string;
  /** When it was made: here, when it was loaded. */
  readonly creationDate: Date;
  readonly definition: StateMachineDefinition;
  /** Those that the definition names, by ARN. */
  readonly functions: ReadonlyMap<string, LocalFunction>;
  /** ARN of the secret of each database role. */
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * Loads a state machine and its Lambda functions out of a cloud assembly (`cdk.out`), with the definition validated
 * and checked for whatever could not be run faithfully here.
 */
export function loadStateMachine(cloudAssembly: string, options: LoadOptions): LocalStateMachine {
  const stack = readStack(cloudAssembly);
  const resolve = resolver(stack, options);
  const [logicalId, resource] = findStateMachine(stack, options.workflow ?? 'archive');
  const text = String(resolve(resource.Properties?.['DefinitionString']));
  const definition = JSON.parse(text) as StateMachineDefinition;
  assertFaithful(definition);
  assertValid(definition);
  const { region } = options;
  const functions = ofType(stack, 'AWS::Lambda::Function')
    .filter(([id]) => text.includes(functionArn(id, options)))
    .map(([id, { Properties = {} }]) => toFunction(id, Properties, stack, resolve, options));
  const aliases = ofType(stack, 'AWS::Lambda::Alias').flatMap(([id]) => {
    const arn = String(resolve({ Ref: id }));
    const of = functions.find((each) => arn.startsWith(`${each.arn}:`));
    return of === undefined || !text.includes(arn) ? [] : [{ ...of, arn }];
  });
  return {
    name: logicalId,
    arn: stateMachineArn(logicalId, options),
    region,
    creationDate: new Date(),
    definition,
    functions: new Map([...functions, ...aliases].map((each) => [each.arn, each])),
    secrets: Object.fromEntries(
      ofType(stack, 'AWS::SecretsManager::Secret').flatMap(([id, { Metadata }]) => {
        const role = Metadata?.[DATABASE_ROLE_METADATA];
        return typeof role === 'string' ? [[role, secretArn(id, options)]] : [];
      }),
    ),
  };
}

/** Refuses what Step Functions would refuse at deployment. */
export function assertValid(definition: StateMachineDefinition): void {
  const { isValid, errorsText } = aslValidator(definition, { checkPaths: true, checkArn: true });
  if (!isValid) throw new Error(`the state machine is not valid:\n${errorsText('\n')}`);
}

function ofType(stack: SynthesisedStack, type: string): [string, TemplateResource][] {
  return Object.entries(stack.resources).filter(([, resource]) => resource.Type === type);
}

function findStateMachine(stack: SynthesisedStack, workflow: string): [string, TemplateResource] {
  const found = ofType(stack, 'AWS::StepFunctions::StateMachine').filter(
    ([, { Metadata }]) => Metadata?.[WORKFLOW_METADATA] === workflow,
  );
  const [only, ...others] = found;
  if (only === undefined || others.length > 0) {
    const names = found.map(([id]) => id).join(', ');
    throw new Error(
      `stack ${stack.name} has ${names === '' ? 'no' : 'more than one'} workflow ${workflow}${names === '' ? '' : `: ${names}`}`,
    );
  }
  return only;
}

function toFunction(
  logicalId: string,
  properties: Readonly<Record<string, unknown>>,
  stack: SynthesisedStack,
  resolve: (value: unknown) => unknown,
  context: StackContext,
): LocalFunction {
  const { Runtime, Code, Handler, Timeout, MemorySize, Environment } = properties as {
    readonly Runtime: string;
    readonly Code: { readonly S3Key: string };
    readonly Handler: string;
    readonly Timeout?: number;
    readonly MemorySize?: number;
    readonly Environment?: { readonly Variables?: Readonly<Record<string, unknown>> };
  };
  assertSameNode(logicalId, Runtime);
  return {
    arn: functionArn(logicalId, context),
    logicalId,
    directory: stack.assetDirectory(Code.S3Key),
    handler: Handler,
    // What Lambda takes where the template is silent.
    timeoutSeconds: Timeout ?? 3,
    memoryMiB: MemorySize ?? 128,
    environment: resolve(Environment?.Variables ?? {}) as Record<string, string>,
  };
}

/** Functions run on the Node.js of this process, which has to be the one that they get on AWS. */
function assertSameNode(logicalId: string, runtime: string): void {
  const here = `nodejs${process.versions.node.split('.')[0] ?? ''}.x`;
  if (runtime !== here) {
    throw new Error(
      `function ${logicalId} is for ${runtime}, but this is ${here}; start it by npm, which has the right one`,
    );
  }
}
