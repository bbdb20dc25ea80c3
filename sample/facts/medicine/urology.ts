import { conditions } from "./condition.ts";

export const urology = conditions(
  "urology",
  `
testicular torsion | youth | sudden scrotal pain with absent cremasteric reflex | twisting of the spermatic cord | surgical exploration | emergency detorsion with orchidopexy | ultrasound that postpones exploration | bell-clapper deformity | testicular loss | EAU guideline | Doppler/ultraso/antibiotic
benign prostatic hyperplasia | elder | weak stream with nocturia | stromal overgrowth of the transition zone | symptom score with urine flow measurement | tamsulosin | decongestants | aging men | acute urinary retention | NICE CG97 | anticholinergic/oxybutynin/antihistamine/opioid/amitriptyline/tricyclic/testosterone/diphenhydramine/ipratropium/pseudoephedrine
prostate cancer | elder | hard nodular prostate | malignant prostate gland cells | MRI-guided prostate biopsy | radical prostatectomy or radiotherapy | testosterone therapy | African ancestry and age | bone metastases | NICE NG131 | surveillance/prostat/testosterone
bladder cancer | elder | painless visible hematuria in a smoker | malignant urothelium | cystoscopy with biopsy | transurethral resection of the tumor | pioglitazone | aniline dyes | ureteric obstruction | NICE NG2 | smoking/cyclophosphamide/BCG
acute pyelonephritis | woman | flank pain with fever and pyuria | ascending Escherichia coli infection | midstream urine culture | ciprofloxacin or ceftriaxone | nitrofurantoin for kidney infection | vesicoureteral reflux | renal abscess | NICE NG111 | NSAID/nitrofurantoin/gentamicin/aminoglycoside
acute cystitis | woman | burning urination without fever | Escherichia coli in the bladder | urine dipstick showing nitrites | nitrofurantoin for five days | nitrofurantoin near term | sexual activity | ascending kidney infection | NICE NG109 | spermicid/fluoroquinolone/trimethoprim/ciprofloxacin/culture
Peyronie disease | man | painful curved erection with penile plaque | fibrous scar in the tunica albuginea | penile examination with ultrasound | collagenase injection | surgery during the painful phase | Dupuytren contracture | erectile dysfunction | AUA guideline | vitamin
`,
);
