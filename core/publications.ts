import type { PreflightProblem } from './archive/preflight.ts';

/** A publication that carries tables of the archiver or of a set, or would (db/setup/publications.sql). */
export interface PublicationFacts {
  readonly name: string;
  readonly problem: string;
  /** The ways out, the last of which is to accept the publication. */
  readonly remedy: string;
}

/** Those that `acceptedPublications` does not name: each is a reason to refuse. */
export function unaccepted(
  publications: readonly PublicationFacts[],
  accepted: readonly string[],
): readonly PreflightProblem[] {
  return publications
    .filter(({ name }) => !accepted.includes(name))
    .map(({ name, problem, remedy }) => ({ subject: `publication ${name}`, problem, remedy }));
}

/** The others, as advice: a subscriber depends on them. */
export function acceptedAdvice(
  publications: readonly PublicationFacts[],
  accepted: readonly string[],
): readonly PreflightProblem[] {
  return publications
    .filter(({ name }) => accepted.includes(name))
    .map(({ name, problem }) => ({
      subject: `publication ${name}`,
      problem,
      remedy: 'It is accepted by the configuration.',
    }));
}
