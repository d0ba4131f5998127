import * as lambda from 'aws-cdk-lib/aws-lambda';

/** A function whose `grantInvoke` grants no right to invoke its versions. The CDK's own adds `<ARN>:*`. */
export class WorkflowFunction extends lambda.Function {
  override get resourceArnsForGrantInvoke(): string[] {
    return [this.functionArn];
  }
}
