import type { Adoption, AdoptionRequest } from './adopt.ts';
import { ArchiverError } from '../errors.ts';
import { truncateLines, TEXT_BUDGET } from '../limits.ts';
import { displayName } from '../partition.ts';

/** The output of an execution of *Adopt*. */
export interface AdoptionReport {
  readonly kind: 'adopted' | 'proposal';
  /** Id in the ledger. */
  readonly partitionId?: number;
  readonly lowerBound: string;
  readonly upperBound: string;
  /** What to do next. */
  readonly nextStep: string;
}

/** The report of an adoption. `PreflightFailed` with every reason where it was refused. */
export function adoptionReport({ table, partitionSet }: AdoptionRequest, adoption: Adoption): AdoptionReport {
  switch (adoption.kind) {
    case 'adopted':
      return { ...adoption, nextStep: 'The next run archives it if it is past the retention.' };
    case 'proposal': {
      const { lowerBound: lower, upperBound: upper } = adoption;
      const input = {
        table,
        partitionSet: displayName(partitionSet.schema, partitionSet.table),
        lower,
        upper,
      };
      const nextStep = `Nothing was changed. If these are its bounds, start it with ${JSON.stringify(input)}.`;
      return { ...adoption, nextStep };
    }
    case 'refused':
      throw new ArchiverError(
        'PreflightFailed',
        truncateLines(adoption.reasons, TEXT_BUDGET.message).join('\n'),
      );
  }
}
