import { conditions } from "./condition.ts";

export const urology = conditions(
  "urology",
  `
testicular torsion | youth | scrotal pain with absent cremasteric reflex | twisting of the spermatic cord | surgical exploration | emergency untwisting and orchidopexy | ultrasound that postpones exploration | bell-clapper deformity | loss of the gonad | EAU guideline | Doppler/ultraso/antibiotic
benign prostatic hyperplasia | elder | a weak stream with nocturia | stromal overgrowth of the transition zone | a symptom score with urine flow measurement | tamsulosin | decongestants | aging and obesity | acute urinary retention | NICE CG97 | anticholinergic/oxybutynin/antihistamine/opioid/amitriptyline/tricyclic/testosterone/diphenhydramine/ipratropium/pseudoephedrine/decongestant
prostate cancer | elder | rock-hard gland on rectal examination | androgen-driven glandular adenocarcinoma | an MRI-guided transperineal biopsy | radical surgery or radiotherapy | testosterone therapy | African ancestry and age | bone metastases | NICE NG131 | surveillance/prostat/testosterone/biopsy/gland removal
bladder cancer | elder | painless visible hematuria in a smoker | transformed urothelium | cystoscopy with biopsy | transurethral resection of the tumor | pioglitazone | aniline dyes | ureteric obstruction | NICE NG2 | smoking/cyclophosphamide/BCG
acute pyelonephritis | woman | flank pain with fever and pyuria | ascending Escherichia coli infection | midstream urine culture | cefalexin, or ceftriaxone if severe | nitrofurantoin for kidney infection | vesicoureteral reflux | a renal abscess | NICE NG111 | NSAID/nitrofurantoin/gentamicin/aminoglycoside/ciprofloxacin/cef/antibiotic/Escherichia
acute cystitis | woman | burning and frequency without fever | Escherichia coli in the bladder | urine dipstick showing nitrites | short-course nitrofurantoin | nitrofurantoin near term | sexual activity | ascending kidney infection | NICE NG109 | spermicid/fluoroquinolone/trimethoprim/ciprofloxacin/culture/antibiotic/nitrofurantoin/ascending/Escherichia
Peyronie disease | man | a painful curved erection with hard plaque | a fibrous scar in the tunica albuginea | penile examination with ultrasound | collagenase injection | penile grafting during active disease | Dupuytren contracture | erectile dysfunction | AUA guideline | vitamin
`,
);
