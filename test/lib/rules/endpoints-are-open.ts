import { listOf, ofType, referenceOf, type CloudTemplate, type Rule } from './rule.ts';

/**
 * An interface endpoint with private DNS lets in every address, since private DNS leads every workload of the VPC to it:
 * one that lets in only its own clients cuts all others off from the service. It is reachable from the VPC alone.
 *
 * Sources: "Private DNS for interface endpoints" (AWS PrivateLink Guide); awslabs/aws-solutions-constructs,
 * core/lib/vpc-helper.ts, AddInterfaceEndpoint, which opens it to the range of the VPC.
 */
export const endpointsAreOpen: Rule = {
  name: 'an endpoint with private DNS is open to its VPC',
  find: (template) =>
    ofType(template, 'AWS::EC2::VPCEndpoint')
      .filter(([, { PrivateDnsEnabled }]) => PrivateDnsEnabled === true)
      .flatMap(([id, { SecurityGroupIds }]) =>
        listOf(SecurityGroupIds)
          .map((group) => referenceOf(group) ?? '')
          .filter((group) => !isOpen(template, group))
          .map((group) => `${id} is closed by ${group}`),
      ),
  breaks: withRule({ SourceSecurityGroupId: 'sg-1' }),
  keeps: withRule({ CidrIp: '0.0.0.0/0' }),
};

function isOpen({ Resources }: CloudTemplate, group: string): boolean {
  return listOf(Resources[group]?.Properties?.['SecurityGroupIngress']).some(
    (rule) => (rule as { CidrIp?: string }).CidrIp === '0.0.0.0/0',
  );
}

function withRule(rule: object): CloudTemplate {
  return {
    Resources: {
      Endpoint: {
        Type: 'AWS::EC2::VPCEndpoint',
        Properties: { PrivateDnsEnabled: true, SecurityGroupIds: [{ 'Fn::GetAtt': ['Group', 'GroupId'] }] },
      },
      Group: {
        Type: 'AWS::EC2::SecurityGroup',
        Properties: { SecurityGroupIngress: [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, ...rule }] },
      },
    },
  };
}
