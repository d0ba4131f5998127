import * as z from 'zod';
import { databaseFields } from './database.ts';
import { endpointProblems } from './endpoints.ts';
import { problemsBy, validatedWith } from './fields.ts';
import { parseConfig, type Parsed } from './problems.ts';
import { scheduleExpression } from './schedule-expression.ts';

const { kind, identifier, endpoint, port, name, formerNames, securityGroupIds, resourceId } =
  databaseFields.shape;

/** What the properties of the construct have in common with the deployment file, by their names there; all may be unknown yet. */
const constructSchema = z.object({
  database: z
    .object({
      kind,
      identifier,
      endpoint,
      port,
      databaseName: name,
      formerNames,
      securityGroupIds,
      resourceId,
    })
    .partial()
    .superRefine(
      problemsBy(({ kind, identifier, endpoint }) =>
        kind === undefined || identifier === undefined || endpoint === undefined
          ? []
          : endpointProblems({ kind, identifier, endpoint }),
      ),
      validatedWith('kind', 'identifier', 'endpoint'),
    )
    .optional(),
  schedule: z
    .object({
      archive: scheduleExpression,
      inventory: scheduleExpression,
      drop: scheduleExpression,
      convert: scheduleExpression,
      audit: scheduleExpression,
    })
    .partial()
    .optional(),
  drill: z.object({ schedule: scheduleExpression }).partial().optional(),
});

/** Checks what is known of the properties of the construct. */
export function parseConstructProps(input: unknown): Parsed<z.output<typeof constructSchema>> {
  return parseConfig(constructSchema, input);
}
