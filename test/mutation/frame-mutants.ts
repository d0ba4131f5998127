import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import loadWabt from 'wabt';
import { describeMutant, mutate } from './mutant.ts';
import { mutantsOf } from './typescript-mutants.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const READER = 'adapters/postgres/copy-frames.ts';
const MODULE = 'adapters/postgres/copy-frames.wat';

/**
 * A reader of frames as a worker makes it: the JavaScript of its class, and its module in WebAssembly. Each round of a
 * loop calls `round` in the one, and is counted in the other, which ends by a trap where it loops for ever.
 */
export interface MutatedReader {
  readonly name: string;
  readonly script: string;
  readonly wasm: string;
}

/** Of the loops in the module for one chunk, which is 65,536 bytes at most. */
const MOST_ROUNDS = 200_000;

/** Instructions of the module and what each becomes. */
const INSTRUCTIONS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/i32\.eqz /g, ['']],
  [/\bi32\.eq /g, ['i32.ne ']],
  [/\bi32\.ne /g, ['i32.eq ']],
  [/\bi32\.lt_u\b/g, ['i32.le_u', 'i32.ge_u']],
  [/\bi32\.lt_s\b/g, ['i32.le_s', 'i32.ge_s']],
  [/\bi32\.or\b/g, ['i32.and']],
  [/\bi32\.and\b/g, ['i32.or']],
  [/\bi32\.add\b/g, ['i32.sub']],
  [/\bi32\.sub\b/g, ['i32.add']],
  [/\bi64\.add\b/g, ['i64.sub']],
  [/\bi32\.shl\b/g, ['i32.shr_u']],
  [/\bi8x16\.eq\b/g, ['i8x16.ne']],
  [/\(br_if \$\w+ /g, ['(drop ']],
  [/\(br \$\w+\)/g, ['(nop)']],
  [/v128\.store align=1/g, ['v128.store offset=1 align=1']],
  [/v128\.load align=1/g, ['v128.load offset=1 align=1']],
  [/i32\.const (?:0x[0-9A-Fa-f]+|-?\d+)/g, ['+1']],
];

/** The reader as it is, and every change of one place of its TypeScript and of its module that compiles. */
export async function frameReaders(): Promise<{ original: MutatedReader; mutants: MutatedReader[] }> {
  const reader = readFileSync(join(ROOT, READER), 'utf8');
  const module = readFileSync(join(ROOT, MODULE), 'utf8');
  const wabt = await loadWabt();
  const wasmOf = (text: string): string =>
    Buffer.from(
      wabt.parseWat(MODULE, countRounds(text), { simd: true, bulk_memory: true }).toBinary({}).buffer,
    ).toString('base64');
  const original = { name: 'as it is', script: scriptOf(reader), wasm: wasmOf(module) };
  const inScript = mutantsOf(READER, reader).flatMap((mutant) => {
    const name = describeMutant(reader, mutant);
    const script = tryTo(() => scriptOf(mutate(reader, mutant)));
    return script === undefined ? [] : [{ ...original, name, script }];
  });
  const inModule = moduleChanges(module).flatMap(({ name, text }) => {
    const wasm = tryTo(() => wasmOf(text));
    return wasm === undefined ? [] : [{ ...original, name, wasm }];
  });
  return { original, mutants: [...inScript, ...inModule] };
}

/** The class without its imports, which the worker gives it. */
const scriptOf = (text: string): string =>
  stripTypeScriptTypes(text)
    .replaceAll(/^import .*$/gm, '')
    .replaceAll(/^export /gm, '')
    .replaceAll(/^ *for \(.*\) \{$/gm, '$& round();');

/** So that what loops for ever ends soon, however busy the machine is. */
const countRounds = (module: string): string =>
  module
    .replace('(func (export', `(global $rounds (mut i32) (i32.const 0))\n  $&`)
    .replace(/^ *\(local\.set \$out \(i32\.const \d+\)\)$/m, '(global.set $rounds (i32.const 0)) $&')
    .replaceAll(
      /\(loop \$\w+/g,
      `$&
        (global.set $rounds (i32.add (global.get $rounds) (i32.const 1)))
        (if (i32.gt_u (global.get $rounds) (i32.const ${String(MOST_ROUNDS)})) (then (unreachable)))`,
    );

function moduleChanges(module: string): { name: string; text: string }[] {
  const code = module.indexOf('(func (export');
  return INSTRUCTIONS.flatMap(([pattern, replacements]) =>
    [...module.matchAll(pattern)]
      .filter(({ index }) => index > code)
      .flatMap(({ 0: found, index }) =>
        replacements.map((each) => {
          const instead = each === '+1' ? `i32.const ${Number(found.slice(10)) + 1}` : each;
          const line = module.slice(0, index).split('\n').length;
          const place = { file: MODULE, line, start: index, end: index + found.length };
          const mutant = { ...place, replacement: instead, what: 'instruction' };
          return { name: describeMutant(module, mutant), text: mutate(module, mutant) };
        }),
      ),
  );
}

function tryTo<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
