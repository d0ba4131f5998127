import vm from 'node:vm';

type Loader = (specifier: string, referrer: unknown, ...rest: unknown[]) => vm.Module | Promise<vm.Module>;

/**
 * Makes jest compile each CommonJS module of a package once for a worker. Otherwise jest compiles these modules, jest's own among
 * them, again for each test file: a tenth of the processor time of the tests that need no database. A vm.Script runs in any number
 * of contexts (https://nodejs.org/api/vm.html#class-vmscript), and each run makes a new function with module state of its own.
 */
export function compilePackagesOnce(): void {
  const original = vm.compileFunction;
  const compiled = new Map<string, { readonly source: string; readonly script: vm.Script }>();
  /** How `import()` of a module resolves in the test file that runs now. */
  const loaders = new Map<string, Loader>();

  function compileFunction(
    source: string,
    parameters: string[] = [],
    options: vm.CompileFunctionOptions = {},
  ) {
    const { filename, parsingContext, importModuleDynamically } = options;
    if (
      !filename?.includes('/node_modules/') ||
      !parsingContext ||
      typeof importModuleDynamically !== 'function'
    )
      return original(source, parameters, options);
    loaders.set(filename, importModuleDynamically as Loader);
    let known = compiled.get(filename);
    if (known?.source !== source) {
      const head = `(function (${parameters.join(', ')}) {`;
      const script = new vm.Script(`${head}${source}\n})`, {
        filename,
        columnOffset: -head.length,
        importModuleDynamically: (...request) => loaders.get(filename)!(...request),
      });
      known = { source, script };
      compiled.set(filename, known);
    }
    return known.script.runInContext(parsingContext) as ReturnType<typeof original>;
  }

  Object.assign(vm, { compileFunction });
}
