/** What the recorded account remembers, and the types of its answers. */

/** What a command is asked with, by the names of its options. */
export type Asked = Readonly<Record<string, string>>;
/** Changes an answer; `asked` tells one call of a command from another. */
export type Spoil = (answer: Answer, asked: Asked) => Answer;
/** JSON, or how the program ended. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are spoiled in their depths, one by one
export type Answer = any;

/** What was done in the account, as far as answers depend on it. */
export interface AccountState {
  /** Statuses of the stacks that exist. */
  readonly statuses: Map<string, string>;
  /** Rows of the partitioned table, and tables in quarantine. */
  rows: number;
  quarantined: number;
  prepared: boolean;
  /** Name of the alarm that was set off last. */
  alarming: string;
}
