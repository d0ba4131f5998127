/** What the pool asks a Lambda process to do. */
export interface InvocationRequest {
  readonly requestId: string;
  readonly functionArn: string;
  readonly functionName: string;
  readonly directory: string;
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  readonly event: unknown;
}

/** What Lambda reports of a function that failed; Step Functions passes it on as the Cause. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

export type InvocationResponse =
  | { readonly requestId: string; readonly ok: true; readonly result: string }
  | { readonly requestId: string; readonly ok: false; readonly error: FunctionError };
