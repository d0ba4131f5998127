import { ingressOf } from './no-duplicate-ingress.ts';
import { listOf, ofType, textOf, type CloudResource, type CloudTemplate, type Rule } from './rule.ts';

/** Quotas that cannot be raised, or are not raised by a call. */
const RESOURCES = 500;
const RULES_OF_A_GROUP = 60;
const NETWORK_INTERFACES_OF_A_VPC = 500;
const TRAILS_OF_A_REGION = 5;

/** The longest names, by type and property. */
const LONGEST: readonly (readonly [type: string, property: string, length: number])[] = [
  ['AWS::StepFunctions::StateMachine', 'StateMachineName', 80],
  ['AWS::RDS::DBProxy', 'DBProxyName', 63],
  ['AWS::Logs::LogGroup', 'LogGroupName', 512],
  ['AWS::CloudWatch::Dashboard', 'DashboardName', 255],
];

/**
 * A stack stays within the quotas of AWS.
 *
 * Sources: "AWS CloudFormation quotas" (500 resources); "Amazon VPC quotas" (60 rules of a security group); "Understand
 * the Hyperplane ENIs of Lambda", AWS re:Post (500 of a VPC, one for each subnet and set of security groups); "Quotas in
 * AWS CloudTrail" (5 trails of a Region); the CloudFormation reference of each name.
 */
export const quotas: Rule = {
  name: 'a stack stays within the quotas',
  find: (template) => [
    ...over('resources', Object.keys(template.Resources).length, RESOURCES),
    ...over('network interfaces', networkInterfaces(template).length, NETWORK_INTERFACES_OF_A_VPC),
    ...over('trails', ofType(template, 'AWS::CloudTrail::Trail').length, TRAILS_OF_A_REGION),
    ...rulesByGroup(template).flatMap(([group, rules]) => over(`rules of ${group}`, rules, RULES_OF_A_GROUP)),
    ...LONGEST.flatMap(([type, property, most]) =>
      ofType(template, type).flatMap(([id, { [property]: name }]) =>
        typeof name === 'string' ? over(`letters of the name of ${id}`, name.length, most) : [],
      ),
    ),
  ],
  breaks: withName('a'.repeat(81)),
  alsoBreak: [
    many(RESOURCES + 1, () => ({ Type: 'AWS::SNS::Topic' })),
    many(TRAILS_OF_A_REGION + 1, () => ({ Type: 'AWS::CloudTrail::Trail' })),
    many(RULES_OF_A_GROUP + 1, (number) => ({
      Type: 'AWS::EC2::SecurityGroupIngress',
      Properties: {
        GroupId: 'sg-0',
        IpProtocol: 'tcp',
        FromPort: number,
        ToPort: number,
        CidrIp: '10.0.0.0/8',
      },
    })),
    // Each of these functions has a security group of its own, and three subnets.
    many(NETWORK_INTERFACES_OF_A_VPC / 3 + 1, (number) => ({
      Type: 'AWS::Lambda::Function',
      Properties: { VpcConfig: { SubnetIds: ['a', 'b', 'c'], SecurityGroupIds: [`sg-${String(number)}`] } },
    })),
  ],
  keeps: withName('a'.repeat(80)),
};

/** Lambda makes one network interface for each subnet and set of security groups. */
function networkInterfaces(template: CloudTemplate): string[] {
  const all = ofType(template, 'AWS::Lambda::Function').flatMap(([, { VpcConfig }]) => {
    const { SubnetIds, SecurityGroupIds } = (VpcConfig ?? {}) as Readonly<Record<string, unknown>>;
    const groups = listOf(SecurityGroupIds).map(textOf).sort().join();
    return listOf(SubnetIds).map((subnet) => `${textOf(subnet)} ${groups}`);
  });
  return [...new Set(all)];
}

function rulesByGroup(template: CloudTemplate): [string, number][] {
  const counts = new Map<string, number>();
  for (const rule of ingressOf(template)) {
    const [group = ''] = rule.split(' ');
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  return [...counts];
}

function over(what: string, found: number, most: number): string[] {
  return found > most ? [`${String(found)} ${what}, of ${String(most)}`] : [];
}

function withName(StateMachineName: string): CloudTemplate {
  return {
    Resources: { Machine: { Type: 'AWS::StepFunctions::StateMachine', Properties: { StateMachineName } } },
  };
}

function many(count: number, make: (number: number) => CloudResource): CloudTemplate {
  const numbers = Array.from({ length: count }, (_, index) => index);
  return {
    Resources: Object.fromEntries(numbers.map((number) => [`Resource${String(number)}`, make(number)])),
  };
}
