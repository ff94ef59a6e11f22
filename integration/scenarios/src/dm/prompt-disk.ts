import { type Bio, bioEndio } from "@blkstack/bio";
import { RamDisk } from "@blkstack/disk-ram";

/** A disk that is done at once and keeps nothing, for stories in which neither time nor data matters. */
export class PromptDisk extends RamDisk {
  override submitBio(bio: Bio): void {
    bioEndio(bio);
  }
}
