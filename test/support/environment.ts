import { TestEnvironment } from 'jest-environment-node';
import { compilePackagesOnce } from './compile-once.ts';

compilePackagesOnce();

/** What is looked at of jest-circus's events. */
interface TestEvent {
  readonly name: string;
  readonly test?: { readonly errors: readonly unknown[] };
}

/** Node's environment, with a mark for `useDatabase` when a test of the file has failed. */
export default class ArchiverEnvironment extends TestEnvironment {
  handleTestEvent(event: TestEvent): void {
    const failed =
      event.name === 'hook_failure' || (event.name === 'test_done' && (event.test?.errors.length ?? 0) > 0);
    if (failed) (this.global as { aTestFailed?: boolean }).aTestFailed = true;
  }
}
