/**
 * Where a fault can strike: between the archiver and PostgreSQL, S3, aws_s3's way to S3, and Secrets Manager, and between
 * Step Functions and the functions, respectively.
 */
export type Channel = 'sql' | 's3' | 'aws_s3' | 'secrets' | 'lambda';

/** One statement or call of a run, numbered in the order in which its channel sees them. */
export interface Point {
  readonly channel: Channel;
  readonly number: number;
  /** What it is, with everything left out that differs from run to run. */
  readonly label: string;
}

/** Before it is sent on, or when it has been answered and the client does not know it yet. */
export type Moment = 'before' | 'after';

/** What a proxy does with a statement or a call, or with its answer. */
export type Verdict =
  | { readonly kind: 'pass' }
  /** Breaks the connection. */
  | { readonly kind: 'cut' }
  /** Leaves a call without an answer, and its connection open. */
  | { readonly kind: 'silence' }
  /** Returns an error of the service instead. */
  | { readonly kind: 'answer'; readonly status: number; readonly code: string }
  /** Breaks the connection half way through the body. */
  | { readonly kind: 'truncate' }
  /** Returns half of the body as if it were the whole. */
  | { readonly kind: 'shorten' };

export const PASS: Verdict = { kind: 'pass' };
export const CUT: Verdict = { kind: 'cut' };

/** What is done at a point. */
export type Plan = (point: Point, moment: Moment) => Verdict | Promise<Verdict>;

/** Numbers the points of one run and asks its plan at each. */
export class Gate {
  readonly points: Point[] = [];
  readonly #plan: Plan;
  readonly #counts = new Map<Channel, number>();

  constructor(plan: Plan = () => PASS) {
    this.#plan = plan;
  }

  enter(channel: Channel, label: string): Point {
    const number = (this.#counts.get(channel) ?? 0) + 1;
    this.#counts.set(channel, number);
    const point = { channel, number, label };
    this.points.push(point);
    return point;
  }

  async ask(point: Point, moment: Moment): Promise<Verdict> {
    return this.#plan(point, moment);
  }
}

/** A proxy of one channel. Each run has a gate of its own. */
export interface FaultProxy {
  readonly port: number;
  gate: Gate;
  close(): Promise<void>;
}
