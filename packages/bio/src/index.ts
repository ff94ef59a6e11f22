export { Bio, type BioDevice, type BioPool, BioState, type EndIo, isBio } from "./bio.ts";
export { bioEndio, bioError, chainBio, isChained } from "./bio-chain.ts";
export { BioList, unlinkBio } from "./bio-list.ts";
export { assertSplittable, cloneBio, splitBio } from "./bio-split.ts";
export { bioViews, collectBioViews, copyBioData } from "./bio-views.ts";
export { type BioVec, createVecs, NO_PAGE, type Page } from "./bvec.ts";
export { invariant, InvariantError } from "./invariant.ts";
export { BioFlag, type BioFlags, BioOp, isDataless, isWriteOp, opName } from "./op.ts";
export { BioStatus, errnoToStatus, statusName, statusToErrno } from "./status.ts";
export {
  BIO_INLINE_VECS,
  BIO_MAX_VECS,
  type Bytes,
  PAGE_BYTES,
  SECTOR_BYTES,
  SECTOR_SHIFT,
  type Sectors,
} from "./units.ts";
