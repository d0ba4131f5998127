import type { DeploymentConfig } from './deployment.ts';
import { exportWays } from './partition-set.ts';

/** What only one of several deployment files may have, and what is said where two have it. */
type Claim = readonly [what: string, mistake: string];

/** What is wrong with deployment files beside each other, each of which is right by itself. */
export function conflicts(files: readonly (readonly [file: string, config: DeploymentConfig])[]): string[] {
  const holders = new Map<string, string>();
  return files.flatMap(([file, config]) =>
    claimsOf(config).flatMap(([what, mistake]) => {
      const holder = holders.get(what);
      holders.set(what, holder ?? file);
      return holder === undefined ? [] : [`the deployment files ${holder} and ${file} ${mistake}`];
    }),
  );
}

function claimsOf(config: DeploymentConfig): Claim[] {
  const { stackName, env, database, archive, network, partitionSets } = config;
  const { kind, identifier, endpoint, attachedS3Roles } = database;
  const bucket = archive.bucket?.name;
  // Archives are told apart by the name of their database, and by nothing that is known before they are read.
  const folders =
    bucket === undefined
      ? []
      : [database.name, ...database.formerNames].map((name) => `s3://${bucket}/${name}/`);
  const attaches = attachedS3Roles === undefined && exportWays(partitionSets).has('aws_s3');
  return [
    [`stack ${stackName}`, `have the same stackName, ${stackName}`],
    ...folders.map((folder): Claim => [folder, `archive into the same folder, ${folder}`]),
    ...(network.createVpcEndpoints
      ? [
          [
            network.vpcId,
            `both make the VPC endpoints of ${network.vpcId}: set network.createVpcEndpoints to false in all but one`,
          ] as const,
        ]
      : []),
    ...(attaches
      ? [
          [
            // Without env, an identifier may be that of a cluster in another account or Region.
            JSON.stringify([env ?? endpoint.toLowerCase(), kind, identifier]),
            `both attach roles for aws_s3 to ${kind} ${identifier}, which has one for each direction: name those of the first stack in database.attachedS3Roles of the other`,
          ] as const,
        ]
      : []),
  ];
}
