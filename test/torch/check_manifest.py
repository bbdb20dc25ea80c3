"""Checks a PyTorchJob (JSON on stdin) against the models of Kubeflow's and Kubernetes' Python clients, which are made from their
OpenAPI schemas. Prints a JSON list of problems: members that the schema does not know, wrong types, missing and refused values.
"""

import json
import re
import sys

import kubernetes.client.models as kubernetes_models
from kubeflow.training import models as training_models

PLAIN = {"str": str, "int": int, "float": (int, float), "bool": bool, "object": object}


def problems_of(value, kind: str, where: str) -> list[str]:
    if match := re.fullmatch(r"list\[(.*)\]", kind):
        if not isinstance(value, list):
            return [f"{where}: not a list"]
        return [p for i, item in enumerate(value) for p in problems_of(item, match[1], f"{where}[{i}]")]
    if match := re.fullmatch(r"dict\((\w+), (.*)\)", kind):
        if not isinstance(value, dict):
            return [f"{where}: not an object"]
        return [p for key, item in value.items() for p in problems_of(item, match[2], f"{where}.{key}")]
    if kind in PLAIN:
        is_number_for_bool = isinstance(value, bool) and kind in ("int", "float")
        return [] if isinstance(value, PLAIN[kind]) and not is_number_for_bool else [f"{where}: {value!r} is not of type {kind}"]
    model = getattr(training_models, kind, None) or getattr(kubernetes_models, kind)
    members = {name: attribute for attribute, name in model.attribute_map.items()}
    problems = [f"{where}: no member {key!r}" for key in value if key not in members]
    for key in value.keys() & members.keys():
        # Quantities ("512Gi", 8) have no type of their own in the clients.
        problems += problems_of(value[key], model.openapi_types[members[key]], f"{where}.{key}")
    try:
        model(**{members[key]: item for key, item in value.items() if key in members})
    except ValueError as error:  # required members, patterns
        problems.append(f"{where}: {error}")
    return problems


job = json.load(sys.stdin)
print(json.dumps(problems_of(job, "KubeflowOrgV1PyTorchJob", "job")))
