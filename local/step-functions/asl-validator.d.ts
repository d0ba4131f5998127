/** The part that is used here; the package ships no types. */
declare module 'asl-validator' {
  export default function aslValidator(
    definition: object,
    options?: { readonly checkPaths?: boolean; readonly checkArn?: boolean },
  ): { readonly isValid: boolean; readonly errorsText: (this: void, separator?: string) => string };
}
