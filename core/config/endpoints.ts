import { matching } from './fields.ts';

/** A host name, not a URL or a connection string. */
export const hostName = matching(
  /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/,
  'must be a host name, without a scheme, a port or spaces',
);

/** An endpoint that RDS names: of an instance, a cluster, its readers, or a proxy. Names of one's own say nothing. */
const RDS_ENDPOINT =
  /^(?<name>[a-z0-9-]+)\.(?<kind>(?:cluster|cluster-ro|cluster-custom|proxy)-)?[a-z0-9]+\.(?<region>[a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com$/i;

/** A Region whose services are in the domain amazonaws.com, by its form. */
export const REGION = /^(?!cn-|[a-z]{2}-iso)[a-z]{2}(-[a-z]+)+-\d$/;

/** Region of an endpoint that RDS names. */
export const regionOfEndpoint = (endpoint: string): string | undefined =>
  RDS_ENDPOINT.exec(endpoint)?.groups?.['region']?.toLowerCase();

interface Database {
  readonly kind: 'cluster' | 'instance';
  readonly identifier: string;
  readonly endpoint: string;
  readonly proxy?: false | { readonly endpoint: string } | undefined;
}

/**
 * Endpoints of something else: the proxy would lead to the database of `identifier`, what bypasses it to another one, and a
 * reader, or an instance of a cluster that fails over, takes no writes.
 *
 * Source: "Amazon Aurora endpoint connections", Amazon Aurora User Guide.
 */
export function endpointProblems({
  kind,
  identifier,
  endpoint,
  proxy,
}: Database): [path: string[], message: string][] {
  const problems: [string[], string][] = [];
  const found = RDS_ENDPOINT.exec(endpoint)?.groups;
  const expected = kind === 'cluster' ? 'cluster-' : undefined;
  const begins = `${identifier}.${expected ?? ''}`;
  const isOurs =
    found?.['name']?.toLowerCase() === identifier.toLowerCase() && found['kind']?.toLowerCase() === expected;
  if (found !== undefined && !isOurs) {
    const whose = kind === 'cluster' ? 'the writer of the cluster' : 'the instance';
    const message = `must be the endpoint of ${whose} ${identifier}, which begins with ${begins}, or identifier and kind must be those of this one; a reader belongs in verifyEndpoint, a proxy in proxy`;
    problems.push([['endpoint'], message]);
  }
  const ofProxy = RDS_ENDPOINT.exec(proxy === undefined || proxy === false ? '' : proxy.endpoint);
  if (ofProxy !== null && ofProxy.groups?.['kind']?.toLowerCase() !== 'proxy-') {
    const message =
      'must be the endpoint of an RDS Proxy, as name.proxy-….rds.amazonaws.com; without a proxy, set proxy to false';
    problems.push([['proxy', 'endpoint'], message]);
  }
  return problems;
}
