import * as lambda from 'aws-cdk-lib/aws-lambda';

/** A function that workflows invoke as it was deployed last: a right to invoke it is none to invoke a version of it. */
export class WorkflowFunction extends lambda.Function {
  override get resourceArnsForGrantInvoke(): string[] {
    return [this.functionArn];
  }
}
