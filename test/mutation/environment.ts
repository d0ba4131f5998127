import { inspect } from 'node:util';
import ArchiverEnvironment from '../support/environment.ts';

interface Failure {
  readonly name: string;
  readonly error?: unknown;
}

/** Ends the process with the first test that fails: a mutant that was noticed once is killed, and the rest is lost time. */
export default class ImpatientEnvironment extends ArchiverEnvironment {
  override handleTestEvent({ name, error }: Failure): void {
    if (name !== 'test_fn_failure' && name !== 'hook_failure') return;
    // Nobody else will: it is seen where the tests have to pass.
    process.stderr.write(`${inspect(error)}\n`);
    process.exit(1);
  }
}
