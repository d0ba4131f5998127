/** What test files and the process of syntheses say to one another, by files in a folder. */
import { join } from 'node:path';

/** One synthesis of a deployment file. */
export interface Question {
  /**
   * `template`: the template, as an object. `assembly`: the folder of the cloud assembly, `assembly-with-code` with the bundles of
   * the functions in it. `resources`: construct path and type of each resource, a line each.
   */
  readonly what: 'template' | 'assembly' | 'assembly-with-code' | 'resources';
  readonly file: object;
}

export type Answer =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };

/** The folder of a run, by the directory of its stack: a question is `<hash>.question` there, its answer `<hash>.answer`. */
export const folderOf = (stackDirectory: string): string => join(stackDirectory, 'synthesis');
