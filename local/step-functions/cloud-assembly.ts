import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A resource of a CloudFormation template. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

/** One stack of a cloud assembly, which is what `cdk synth` leaves in `cdk.out`. */
export interface SynthesisedStack {
  readonly name: string;
  readonly resources: Readonly<Record<string, TemplateResource>>;
  /** Constants of the template, by mapping and two keys. */
  readonly mappings: Mappings;
  /** Folder of an asset, by the `Code.S3Key` of a Lambda function. */
  assetDirectory(s3Key: string): string;
}

type Mappings = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>;

interface Manifest {
  readonly artifacts: Readonly<
    Record<string, { readonly type: string; readonly properties?: { readonly templateFile?: string } }>
  >;
}

/** Reads the one stack of an assembly. */
export function readStack(cloudAssembly: string): SynthesisedStack {
  const manifest = readJson(join(cloudAssembly, 'manifest.json')) as Manifest;
  const stacks = Object.entries(manifest.artifacts).filter(
    ([, { type }]) => type === 'aws:cloudformation:stack',
  );
  const [stack, ...others] = stacks;
  if (stack === undefined || others.length > 0) {
    const names = stacks.map(([name]) => name).join(', ');
    throw new Error(`${cloudAssembly} has ${names === '' ? 'no stack' : `several stacks: ${names}`}`);
  }
  const [name, { properties }] = stack;
  const template = readJson(join(cloudAssembly, properties?.templateFile ?? `${name}.template.json`)) as {
    readonly Resources: Readonly<Record<string, TemplateResource>>;
    readonly Mappings?: Mappings;
  };
  return {
    name,
    resources: template.Resources,
    mappings: template.Mappings ?? {},
    assetDirectory: (s3Key) => join(cloudAssembly, `asset.${s3Key.replace(/\.zip$/, '')}`),
  };
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
