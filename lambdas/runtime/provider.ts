/** An event of the CDK's provider framework. CloudFormation makes texts of numbers. */
export interface ProviderEvent<P> {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: P;
  readonly OldResourceProperties?: Partial<P>;
}

/** The two handlers of the provider framework. */
export interface ProviderHandlers<P> {
  readonly onEvent: (event: ProviderEvent<P>) => Promise<{ readonly PhysicalResourceId: string }>;
  readonly isComplete: (event: ProviderEvent<P>) => Promise<{ readonly IsComplete: boolean }>;
}

/** A custom resource that becomes complete step by step. */
export interface Provider<P> {
  /** Takes one step and leaves the rest to the next call, so that what is busy is only waited for. Whether it is complete. */
  readonly step: (event: ProviderEvent<P>) => Promise<boolean>;
  /** For errors, as in "Create of …". */
  readonly describe: (properties: P) => string;
  /** Another one is another resource, whose old one is then deleted; under the same, the new one takes its place. */
  readonly physicalId: (properties: P) => string;
}

/** Handlers, both of which take a step; an error names request and resource. */
export function providerHandlers<P>({ step, describe, physicalId }: Provider<P>): ProviderHandlers<P> {
  const take = async (event: ProviderEvent<P>): Promise<boolean> => {
    try {
      return await step(event);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${event.RequestType} of ${describe(event.ResourceProperties)}: ${reason}`, {
        cause: error,
      });
    }
  };
  return {
    onEvent: async (event) => {
      await take(event);
      return { PhysicalResourceId: physicalId(event.ResourceProperties) };
    },
    isComplete: async (event) => ({ IsComplete: await take(event) }),
  };
}
