import { PINS } from '../../core/pins.ts';
import type { Transaction } from './connect.ts';

/** Pins the settings that change the bytes of an export, for the rest of the transaction. One round trip. */
export async function pin(
  transaction: Transaction,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const settings = { ...PINS, ...more };
  await transaction`
    select set_config(name, value, true)
      from jsonb_each_text(${transaction.json(settings)}::jsonb) as s (name, value)`;
}
