export { createParent, partmanMajor } from '../../local/sample/create-parent.ts';
