import { conditions } from "./condition.ts";

export const otolaryngology = conditions(
  "otolaryngology",
  `
benign paroxysmal positional vertigo | elder | seconds of spinning on turning over | loose otoconia in semicircular canal | the Dix-Hallpike test | the Epley maneuver | long-term vestibular sedatives | aging and head injury | falls | AAO-HNS guideline | antihistamine/benzodiazepine/bed rest/prochlorperazine/meclizine/lorazepam/diazepam/diuretic
Meniere disease | adult | episodic vertigo with roaring tinnitus | excess endolymph fluid | pure tone audiometry | a low-salt diet and betahistine | salty food and caffeine | middle age | permanent hearing loss | AAO-HNS guideline | aminoglycoside/diuretic/gentamicin/salt
acute otitis media | child | a bulging red eardrum with ear pain | middle ear infection by pneumococcus | pneumatic otoscopy | amoxicillin | decongestant syrups | day care attendance | mastoiditis | AAP guideline | antihistamine/steroid/flight/smok/nitrous/decongestant
otitis externa | youth | pain on pulling the auricle | Pseudomonas in the ear canal | otoscopy showing swollen canal | ciprofloxacin ear drops | cotton swabs in the ear | swimming | malignant skull base spread | AAO-HNS guideline | gentamicin/aminoglycoside/swim/syring
peritonsillar abscess | youth | a hot potato voice with uvular deviation | spreading streptococcal pharyngitis | intraoral needle aspiration | drainage and intravenous penicillin | amoxicillin if mononucleosis is suspected | smoking and dental disease | parapharyngeal spread | StatPearls | CT/antibiotic/amoxicillin/Streptococcus/immune reaction
vestibular schwannoma | adult | one-sided hearing loss without corneal reflex | NF2 gene loss in nerve sheath | gadolinium MRI of internal auditory canal | stereotactic radiosurgery or excision | plain skull radiography for screening | neurofibromatosis type 2 | brainstem compression | EANO guideline | gadolinium/aminoglycoside/audiometry/gentamicin/lumbar
otosclerosis | woman | conductive deafness with normal eardrum | fixation of the stapes footplate | audiometry showing Carhart notch | stapedectomy or hearing aid | stapes surgery on an only-hearing ear | pregnancy and family history | profound inner ear loss | StatPearls | flight/contact/div/estrogen/nitrous
nasopharyngeal carcinoma | adult | a neck mass with unilateral serous otitis | Epstein-Barr virus in epithelial cells | an endoscopic postnasal biopsy | radiotherapy and cisplatin | open excision biopsy of nodes | southern Chinese ancestry | cranial nerve palsies | NCCN guideline | smoking/aminoglycoside/alcohol/biopsy/Epstein
`,
);
