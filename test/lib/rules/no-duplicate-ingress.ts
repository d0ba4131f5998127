import { ofType, textOf, type CloudTemplate, type Rule } from './rule.ts';

/**
 * No rule of a security group stands twice: EC2 refuses the second one with `InvalidPermission.Duplicate`, and the
 * deployment fails. The CDK does not see it where a group is imported under two ids.
 *
 * Source: "Error codes for the Amazon EC2 API", Amazon EC2 Developer Guide.
 */
export const noDuplicateIngress: Rule = {
  name: 'no rule of a security group stands twice',
  find: (template) => {
    const rules = ingressOf(template);
    return [...new Set(rules.filter((rule, index) => rules.indexOf(rule) !== index))];
  },
  breaks: withSources('sg-1', 'sg-1'),
  keeps: withSources('sg-1', 'sg-2'),
};

/** Every rule that lets somebody in, as `group port-port source`. */
export function ingressOf(template: CloudTemplate): string[] {
  const standalone = ofType(template, 'AWS::EC2::SecurityGroupIngress').map(([, rule]) =>
    describe(textOf(rule['GroupId']), rule),
  );
  const inline = ofType(template, 'AWS::EC2::SecurityGroup').flatMap(([id, { SecurityGroupIngress = [] }]) =>
    (SecurityGroupIngress as Readonly<Record<string, unknown>>[]).map((rule) =>
      describe(`{${id}.GroupId}`, rule),
    ),
  );
  return [...standalone, ...inline];
}

function describe(group: string, rule: Readonly<Record<string, unknown>>): string {
  const { IpProtocol, FromPort, ToPort, CidrIp, CidrIpv6, SourceSecurityGroupId, SourcePrefixListId } = rule;
  const source = CidrIp ?? CidrIpv6 ?? SourceSecurityGroupId ?? SourcePrefixListId;
  return [group, IpProtocol, `${textOf(FromPort)}-${textOf(ToPort)}`, source].map(textOf).join(' ');
}

function withSources(...sources: readonly string[]): CloudTemplate {
  const rule = { GroupId: 'sg-0', IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432 };
  return {
    Resources: Object.fromEntries(
      sources.map((SourceSecurityGroupId, index) => [
        `Rule${String(index)}`,
        { Type: 'AWS::EC2::SecurityGroupIngress', Properties: { ...rule, SourceSecurityGroupId } },
      ]),
    ),
  };
}
