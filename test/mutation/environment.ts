import ArchiverEnvironment from '../support/environment.ts';

/** Ends the process with the first test that fails: a mutant that was noticed once is killed, and the rest is lost time. */
export default class ImpatientEnvironment extends ArchiverEnvironment {
  override handleTestEvent(event: { readonly name: string }): void {
    if (event.name === 'test_fn_failure' || event.name === 'hook_failure') process.exit(1);
  }
}
