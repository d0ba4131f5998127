import { RDSClient } from '@aws-sdk/client-rds';
import { featureRoles } from '../../adapters/rds/feature-roles.ts';
import { proxyTargetGroup } from '../../adapters/rds/proxy-target.ts';
import { featureRoleHandlers, type FeatureRoleEvent } from '../runtime/feature-role-handlers.ts';
import { consoleLog } from '../runtime/log.ts';
import { proxyTargetHandlers, type ProxyTargetEvent } from '../runtime/proxy-target-handlers.ts';

const client = new RDSClient({});
const roles = featureRoleHandlers((kind, identifier) => featureRoles(client, kind, identifier), consoleLog);
const targets = proxyTargetHandlers((proxyName) => proxyTargetGroup(client, proxyName), consoleLog);

const isOfTarget = (event: FeatureRoleEvent | ProxyTargetEvent): event is ProxyTargetEvent =>
  'proxyName' in event.ResourceProperties;

/** Custom resources: the role of s3Export or s3Import of the database, and the database as the target of the proxy. */
export const onEvent = (event: FeatureRoleEvent | ProxyTargetEvent) =>
  isOfTarget(event) ? targets.onEvent(event) : roles.onEvent(event);

/** Whether what `onEvent` began is done. */
export const isComplete = (event: FeatureRoleEvent | ProxyTargetEvent) =>
  isOfTarget(event) ? targets.isComplete(event) : roles.isComplete(event);
