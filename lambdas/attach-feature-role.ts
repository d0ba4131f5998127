import { RDSClient } from '@aws-sdk/client-rds';
import { featureRoles } from '../adapters/rds/feature-roles.ts';
import { featureRoleHandlers } from './runtime/feature-role-handlers.ts';
import { consoleLog } from './runtime/log.ts';

const client = new RDSClient({});

/** Custom resource: attaches the role of s3Export or s3Import to the database, and detaches it on delete. */
export const { onEvent, isComplete } = featureRoleHandlers(
  (kind, identifier) => featureRoles(client, kind, identifier),
  consoleLog,
);
