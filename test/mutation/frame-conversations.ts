import { copyBegins, message } from '../support/wire-messages.ts';
import type { Conversation } from './frame-chain.ts';

const ASIDE = [
  message('N', 'SNOTICE\0Mhello\0\0'),
  message('S', 'TimeZone\0UTC\0'),
  message('A', 'abcdx\0y\0'),
];

const conversation = (
  name: string,
  columns: number,
  rows: readonly string[],
  aside = false,
): Conversation => {
  const frames = rows.flatMap((row, n) =>
    aside && n % 3 === 1 ? [...ASIDE, message('d', row)] : [message('d', row)],
  );
  const end = [message('c'), message('C', `COPY ${rows.length}\0`), message('Z', 'T')];
  return {
    name,
    bytes: Buffer.concat([...(aside ? ASIDE : []), copyBegins(columns), ...frames, ...end]),
    text: Buffer.from(rows.join('')),
  };
};

/** Every byte that COPY text may have, in fields of all lengths around those that the reader takes at once. */
const CHARACTERS = Array.from({ length: 0x250 }, (_, n) => String.fromCodePoint(n)).filter(
  (character) => !/[\0\t\n\r\\]/.test(character),
);
const field = (n: number): string => CHARACTERS.slice((n * 17) % 500, ((n * 17) % 500) + (n % 40)).join('');

/** What honest servers send. */
export const CONVERSATIONS: readonly Conversation[] = [
  conversation('no rows', 2, []),
  conversation('one column', 1, ['\\N\n', '\n', 'a\n', `${'x'.repeat(15)}\n`, `${'y'.repeat(16)}\n`]),
  conversation(
    'all characters',
    3,
    Array.from({ length: 40 }, (_, n) => `${n}\t${field(n)}\t${n % 2 === 0 ? '\\N' : 'd\\te'}\n`),
  ),
  conversation(
    'messages that are not of the COPY',
    2,
    Array.from({ length: 9 }, (_, n) => `C${n}\tcZd${field(n)}\n`),
    true,
  ),
  conversation('a row that is longer than a chunk', 2, [
    '1\ta\n',
    `2\t${'long '.repeat(14_000)}\n`,
    '3\tb\n',
  ]),
];
