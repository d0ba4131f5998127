import { createHash } from 'node:crypto';
import { CfnMapping, Fn, Stack, Token } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** The retriers of a state, as text: an array of objects that have no objects in them. */
const RETRY = /(?<="Retry":)\[\{[^{}]*\}(?:,\{[^{}]*\})*\]/;

/**
 * A definition whose retriers stand in a mapping of the template: with all error codes they are 2 KB, the same ones in
 * fifty states and more, and made a quarter of the template. CloudFormation puts them in before it calls Step Functions.
 */
export class SharedRetriers extends sfn.ChainDefinitionBody {
  override bind(
    scope: Construct,
    principal: iam.IPrincipal,
    props: sfn.StateMachineProps,
    graph?: sfn.StateGraph,
  ): sfn.DefinitionConfig {
    const { definitionString = '' } = super.bind(scope, principal, props, graph);
    const stack = Stack.of(scope);
    const { 'Fn::Join': join } = stack.resolve(definitionString) as { 'Fn::Join': [string, unknown[]] };
    const parts = join[1].flatMap((part) =>
      typeof part === 'string' ? withMapping(stack, part) : [Token.asString(part)],
    );
    return { definitionString: parts.join('') };
  }
}

/** Pieces of a text, in which references to the mapping stand for retriers. */
function withMapping(stack: Stack, text: string): string[] {
  const found = RETRY.exec(text);
  if (found === null) return [text];
  const [retriers] = found;
  const rest = withMapping(stack, text.slice(found.index + retriers.length));
  return [text.slice(0, found.index), referenceTo(stack, retriers), ...rest];
}

function referenceTo(stack: Stack, retriers: string): string {
  // Not lazy: for a lazy mapping, the CDK prints a notice at each synthesis.
  const mapping =
    (stack.node.tryFindChild('Retriers') as CfnMapping | undefined) ??
    new CfnMapping(stack, 'Retriers', { lazy: false });
  const key = createHash('sha256').update(retriers).digest('hex').slice(0, 8);
  mapping.setValue(key, 'Retry', retriers);
  return Fn.findInMap(mapping.logicalId, key, 'Retry');
}
