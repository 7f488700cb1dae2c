// Text for a terminal without the index of @keel/model, which loads LibTorch.
export { shownLine, shownText } from '../../../model/src/formats/shown-text.ts';
