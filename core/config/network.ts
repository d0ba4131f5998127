import * as z from 'zod';
import { matching, validatedWith } from './fields.ts';

const subnetSchema = matching(/^subnet-[0-9a-f]+$/, 'must be the id of a subnet such as subnet-0123abcd');
const routeTableSchema = matching(/^rtb-[0-9a-f]+$/, 'must be the id of a route table such as rtb-0123abcd');

/** The VPC and the subnets of the functions, of a new proxy and of VPC endpoints. */
export const networkSchema = z
  .strictObject({
    vpcId: matching(/^vpc-[0-9a-f]+$/, 'must be the id of a VPC such as vpc-0123abcd'),
    availabilityZones: z.array(z.string('must be a text').min(1)).min(1, 'must name an availability zone'),
    privateSubnetIds: z
      .array(subnetSchema)
      .min(1, 'must name a subnet')
      .describe('One for each availability zone, in the same order. At least two for a new RDS Proxy.'),
    privateSubnetRouteTableIds: z
      .array(routeTableSchema)
      .min(1, 'must name the route tables of the subnets')
      .describe('One for each subnet, in the same order.'),
    createVpcEndpoints: z
      .boolean('must be true or false')
      .default(false)
      .describe(
        'Whether to create VPC endpoints for S3 and Secrets Manager. Required in subnets without NAT.',
      ),
  })
  .superRefine(
    (network, context) => {
      // RDS Proxy and interface endpoints take one subnet of a zone, and RDS Proxy two zones.
      for (const [list, what] of [
        ['privateSubnetIds', 'a subnet'],
        ['availabilityZones', 'an availability zone'],
      ] as const) {
        if (new Set(network[list]).size === network[list].length) continue;
        context.addIssue({ code: 'custom', path: [list], message: `must not name ${what} twice` });
      }
      for (const list of ['privateSubnetIds', 'privateSubnetRouteTableIds'] as const) {
        if (network[list].length !== network.availabilityZones.length) {
          const message = `must have as many entries as availabilityZones (${network.availabilityZones.length})`;
          context.addIssue({ code: 'custom', path: [list], message });
        }
      }
    },
    validatedWith('availabilityZones', 'privateSubnetIds', 'privateSubnetRouteTableIds'),
  );
