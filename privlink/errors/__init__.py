"""Every error the API answers, one class each.

A class holds what a client program decides on (code, HTTP status) and the sentence a person reads:
which field, which value, which rule, what to do. Codes and statuses are Alibaba Cloud's, spelling
mistakes included; the sentences are ours.

One file for each product; callers see one namespace: `errors.VpcNotFound`.
"""

from privlink.errors.base import *
from privlink.errors.chosen_names import *
from privlink.errors.ecs import *
from privlink.errors.gateway import *
from privlink.errors.gateway_endpoints import *
from privlink.errors.labels import *
from privlink.errors.nlb import *
from privlink.errors.privatelink import *
from privlink.errors.privlink import *
from privlink.errors.ram import *
from privlink.errors.routing import *
from privlink.errors.slb import *
from privlink.errors.sts import *
from privlink.errors.vpc import *
