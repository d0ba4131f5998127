import { ofType, type CloudTemplate, type Rule } from './rule.ts';

/**
 * A function in the VPC has a database to talk to. Whatever else it does it does over AWS's own endpoints, and in the VPC
 * it costs addresses and network interfaces, and sleeps when it is idle.
 *
 * Source: "Giving Lambda functions access to resources in an Amazon VPC", AWS Lambda Developer Guide.
 */
export const functionsNeedTheVpc: Rule = {
  name: 'a function in the VPC has a database to talk to',
  find: (template) =>
    ofType(template, 'AWS::Lambda::Function')
      .filter(([, { VpcConfig, Environment }]) => VpcConfig !== undefined && !hasDatabase(Environment))
      .map(([id]) => `${id} is in the VPC for nothing`),
  breaks: withEnvironment({ ARCHIVE_BUCKET: 'archive' }),
  keeps: withEnvironment({ DATABASE_HOST: 'proxy' }),
};

function hasDatabase(environment: unknown): boolean {
  const { Variables = {} } = (environment ?? {}) as { Variables?: object };
  return 'DATABASE_HOST' in Variables;
}

function withEnvironment(Variables: object): CloudTemplate {
  const VpcConfig = { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] };
  return {
    Resources: {
      Function: { Type: 'AWS::Lambda::Function', Properties: { VpcConfig, Environment: { Variables } } },
    },
  };
}
