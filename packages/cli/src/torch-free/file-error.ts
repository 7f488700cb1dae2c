// Errors of the file system without the index of @keel/model, which loads LibTorch.
export { faultOf, fileError } from '../../../model/src/formats/file-error.ts';
