import { withoutDefaults } from '../../core/config/partition-set.ts';
import type { RuntimeConfig } from '../../core/config/runtime.ts';
import type { Step } from '../functions/steps.ts';

/**
 * What each step is told of the configuration, as a literal in the definition of its state machine. An execution keeps the
 * definition that it was started with, and so sees one configuration; the functions have none, so that a change of it
 * updates no function.
 *
 * The steps of the workflow *Archive* are told all of it but defaults, and `concurrency`, which is in the definition already.
 * Steps of other workflows are told what they need, so that a change of one set concerns *Archive* alone.
 */
const CONFIG_OF: Partial<Record<Step, (config: RuntimeConfig) => object>> = {
  ...Object.fromEntries(
    (['preflight', 'maintain', 'detect', 'quarantine', 'stream', 'commit', 'drop', 'report'] as const).map(
      (step) => [
        step,
        ({ concurrency: _, partitionSets, ...config }: RuntimeConfig) => ({
          partitionSets: partitionSets.map(withoutDefaults),
          ...config,
        }),
      ],
    ),
  ),
  heartbeat: (config) => ({ partitionSets: tablesOf(config) }),
  adopt: (config) => ({ partitionSets: tablesOf(config) }),
  'prepare-database': (config) => ({
    partitionSets: tablesOf(config),
    acceptedPublications: config.acceptedPublications,
  }),
  'audit-archive': ({ expiry }) => ({ expiry }),
  'find-restore': ({ acceptedPublications }) => ({ acceptedPublications }),
  'begin-restore': ({ acceptedPublications }) => ({ acceptedPublications }),
  'begin-conversion': ({ expiry }) => ({ expiry }),
  'convert-next': queriedSets,
  'begin-listing': queriedSets,
  'late-copies': (config) => ({ ...queriedSets(config), expiry: config.expiry }),
  'list-archives': ({ expiry, glueDatabase }) => ({ expiry, glueDatabase }),
  'catalog-page': ({ glueDatabase }) => ({ glueDatabase }),
};

/** The sets whose archives get a copy. */
function queriedSets({ partitionSets }: RuntimeConfig): object {
  const queried = partitionSets.filter(({ query }) => query);
  return { partitionSets: queried.map(({ schema, table, query }) => ({ schema, table, query })) };
}

/** Which tables the partition sets are, and in which time zone they were partitioned. */
function tablesOf({ partitionSets }: RuntimeConfig): object[] {
  return partitionSets.map(({ schema, table, timeZone }) => ({ schema, table, timeZone }));
}

/** What a step's input has of the configuration: nothing, for most. */
export function configFor(step: Step, config: RuntimeConfig): { readonly config?: object } {
  const told = CONFIG_OF[step]?.(config);
  // As JSON, which has no `undefined`.
  return told === undefined ? {} : { config: JSON.parse(JSON.stringify(told)) as object };
}
