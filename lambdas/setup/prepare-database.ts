import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { installationFiles, prepareDatabase } from '../../adapters/postgres/setup/prepare.ts';
import { readCredentials } from '../../adapters/secrets-manager/credentials.ts';
import { prepare } from '../../core/setup/prepare.ts';
import { preparationReport } from '../../core/setup/prepare-report.ts';
import { parsePrepareRequest } from '../../core/setup/prepare-request.ts';
import { refuseWhileRunning } from '../../core/setup/running-executions.ts';
import { preparationScript } from '../../core/setup/prepare-script.ts';
import { packScript } from '../runtime/pack-script.ts';
import { readLoginSecrets, readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';

const secrets = readLoginSecrets();

/** What the workflow hands over; one of an earlier version lists no executions. */
interface PrepareEvent extends WithConfig {
  readonly input: unknown;
  /** For each other state machine of this archiver the executions that run, as Step Functions lists them. */
  readonly running?: readonly { readonly executions: readonly { readonly ExecutionArn: string }[] }[];
}

/** Prepares the database as an administrator, or returns the SQL that would. */
export const handler = step(
  'prepare-database',
  async ({ input, running = [], config }: PrepareEvent, { settings, connection, log }) => {
    const { guard, print } = parsePrepareRequest(input);
    const { partitionSets, acceptedPublications } = readRuntimeConfig(config);
    const database = prepareDatabase(connection);
    if (print) {
      const facts = await database.facts(partitionSets);
      return packScript(
        preparationScript(facts, { partitionSets, acceptedPublications }, await installationFiles()),
      );
    }
    refuseWhileRunning(
      running.flatMap(({ executions }) => executions.map(({ ExecutionArn }) => ExecutionArn)),
    );
    const client = new SecretsManagerClient({ region: settings.region });
    return preparationReport(
      await prepare(database, {
        partitionSets,
        acceptedPublications,
        byIam: 'user' in settings.login,
        guard,
        log,
        secretOf: async (role) => {
          const arn = secrets[role];
          return arn === undefined ? undefined : readCredentials(client, arn);
        },
      }),
    );
  },
);
