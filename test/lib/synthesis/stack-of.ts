/** The stack of a deployment file in an app of its own; needs no jest. */
import { App } from 'aws-cdk-lib';
import { parseDeploymentConfig } from '../../../core/config/deployment.ts';
import { PartitionArchiverStack } from '../../../lib/partition-archiver-stack.ts';
import { readJson } from '../example.ts';

/** Code is not bundled: it takes long, and one test of its own does it. */
export const NO_BUNDLES = { 'aws:cdk:bundling-stacks': [] };

// The CDK's own look at each template takes seconds. It is taken wherever tests run the real command.
process.env['CDK_VALIDATION'] = 'false';

/** An app whose cloud assembly goes into a folder. */
export function appIn(outdir: string, context: Readonly<Record<string, unknown>>): App {
  // Nobody reads tree.json, which is another quarter of a synthesis.
  return new App({ context, treeMetadata: false, outdir });
}

/** The stack of a deployment file, with the feature flags of cdk.json and further context. */
export function stackIn(outdir: string, file: object, context: object): PartitionArchiverStack {
  const parsed = parseDeploymentConfig(file);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const flags = (readJson('cdk.json') as { context: Record<string, unknown> }).context;
  const { stackName } = parsed.config;
  return withoutStacks(() => {
    const app = appIn(outdir, { ...flags, ...context });
    return new PartitionArchiverStack(app, stackName, { config: parsed.config });
  });
}

/**
 * The CDK notes at each resource and each acknowledged finding where it was made: a sixth of a synthesis, and a third in jest,
 * which looks every frame up in its source maps. Nobody reads them in a template; what fails is done again with them.
 */
function withoutStacks<T>(work: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } catch {
    Error.stackTraceLimit = stackTraceLimit;
    return work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
