import { existsSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CfnResource, Stage, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { Question } from './question.ts';
import { NO_BUNDLES, stackIn } from './stack-of.ts';

/** What would have been copied into the assembly is not: a test of templates reads the template. */
const TEMPLATE_ALONE = { ...NO_BUNDLES, 'aws:cdk:disable-asset-staging': true };

/** Synthesises in this process; `outdir` is new. */
export function synthesise({ what, file }: Question, outdir: string): unknown {
  switch (what) {
    case 'template':
      return Template.fromStack(stackIn(outdir, file, TEMPLATE_ALONE)).toJSON();
    case 'assembly':
      return assemblyOf(stackIn(outdir, file, NO_BUNDLES));
    case 'assembly-with-code':
      return shareAssets(assemblyOf(stackIn(outdir, file, {})));
    case 'resources':
      return resourceLines(stackIn(outdir, file, NO_BUNDLES));
  }
}

function assemblyOf(stack: Stack): string {
  const app = Stage.of(stack);
  if (app === undefined) throw new Error('the stack is in no app');
  return app.synth().directory;
}

/** The same code is in one place for all assemblies of a run, so that what Node.js compiled of it can be kept. */
function shareAssets(assembly: string): string {
  for (const asset of readdirSync(assembly).filter((name) => name.startsWith('asset.'))) {
    const [own, shared] = [join(assembly, asset), join(dirname(assembly), asset)];
    if (existsSync(shared)) rmSync(own, { recursive: true });
    else renameSync(own, shared);
    symlinkSync(join('..', asset), own);
  }
  return assembly;
}

function resourceLines(stack: Stack): string {
  return stack.node
    .findAll()
    .filter((construct) => CfnResource.isCfnResource(construct))
    .map((resource) => `${resource.node.path.replace(/^[^/]*\//, '')}  ${resource.cfnResourceType}\n`)
    .sort()
    .join('');
}
