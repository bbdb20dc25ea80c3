import { conditions } from "./condition.ts";

export const ophthalmology = conditions(
  "ophthalmology",
  `
acute angle-closure glaucoma | elder | a mid-dilated fixed pupil with halos | iris blocking aqueous outflow | tonometry with gonioscopy | acetazolamide then laser iridotomy | topical atropine | hyperopia | optic nerve damage | AAO guideline | anticholinergic/atropine/antihistamine/topiramate/tricyclic/amitriptyline/decongestant/cyclopentolate/oxybutynin/diphenhydramine/ipratropium/pupil
open-angle glaucoma | elder | silent peripheral field loss with cupping | slow trabecular outflow resistance | perimetry with optic disc imaging | laser trabeculoplasty or latanoprost | long-term steroid eye drops | affected first-degree relatives | blindness | NICE NG81 | corticosteroid/steroid/predniso/timolol/tonometry/lowering perfusion
retinal detachment | adult | sudden floaters with a descending curtain | vitreous fluid entering a peripheral break | dilated fundus examination | surgical reattachment by vitrectomy | air travel after intraocular gas | severe myopia | permanent central blindness | StatPearls | flight/nitrous/slit/anticoag
wet macular degeneration | elder | straight lines appearing wavy | choroidal new vessel growth | optical coherence tomography | intravitreal aflibercept | beta-carotene supplements in smokers | smoking and age | a central scotoma | NICE NG82 | smoking/thromboly
cataract | elder | gradual glare with lost red reflex | aggregated crystallin proteins | slit-lamp examination of the lens | phacoemulsification with lens implant | tamsulosin before eye surgery | diabetes and steroids | lens-induced glaucoma | AAO guideline | corticosteroid/predniso/steroid/ultraviolet/doxazosin
central retinal artery occlusion | elder | painless visual loss with cherry-red spot | an embolus from a carotid plaque | fundoscopy with fluorescein angiography | urgent stroke pathway referral | lowering perfusion pressure | carotid atherosclerosis | fellow-eye stroke | AHA statement | nifedipine/sildenafil/hypotens/vasodilator/antihypertens
herpes simplex keratitis | adult | a dendritic corneal ulcer | a reactivated virus in the trigeminal ganglion | fluorescein staining of the epithelium | ganciclovir eye gel | topical corticosteroid drops | previous cold sores | corneal scarring | AAO guideline | steroid/anesthetic/contact/corticosteroid/aciclovir/reactivated
anterior uveitis | adult | painful ciliary flush with keratic precipitates | iris inflammation linked to HLA-B27 | slit-lamp examination showing cells and flare | prednisolone drops and cyclopentolate | pilocarpine drops | HLA-B27 disease | posterior synechiae | StatPearls | prostaglandin/latanoprost/corticosteroid/steroid
orbital cellulitis | child | proptosis with painful eye movement | bacterial spread from ethmoid sinusitis | contrast CT of the sinuses | intravenous ceftriaxone and flucloxacillin | outpatient oral treatment | recent sinusitis | cavernous sinus thrombosis | StatPearls | steroid/corticosteroid/antibiotic
retinoblastoma | infant | a white pupillary reflex | an RB1 gene mutation | examination under anesthesia with ocular MRI | chemotherapy and focal laser | needle biopsy of the eye | an inherited germline mutation | a trilateral brain tumor | NCI PDQ | radio/CT/biopsy/enucleation/genetic/ultraso/irradiation
`,
);
