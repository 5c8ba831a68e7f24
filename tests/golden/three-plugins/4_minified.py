import faulthandler,hashlib as j,io,numpy as q,os as o,signal,subprocess,sys as d,time as s,torch as t,torch.distributed as a,torch.nn.functional as l,traceback,zlib
from functools import partial as z
from pathlib import Path as n
from sentencepiece import SentencePieceProcessor
from torch import nn as A
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import Any,NamedTuple as e
def O(n,a):
 if not n.o:return a,
 i=range(n.shape[0]//len(n.o));return tuple(e.format(h)for e in n.o for h in i)
def c(s):
 d=[]
 for n in s:
  if n.o:
   i=range(n.shape[0]//len(n.o))
   for(e,l)in zip(n.o,n.init,strict=True):d+=[(e.format(h),l,n)for h in i]
  else:d+=[(a,n.init,n)for a in n.f()]
 return d
def P(l,s,device,e):
 for n in s:
  d=e if n.dtype=='activation'else t.float32
  for a in n.f():
   *h,c=a.split('.');i=l
   for o in h:
    if o not in i._modules:i.add_module(o,A.ModuleList())
    i=i._modules[o]
   i.register_parameter(c,A.Parameter(t.empty(n.shape,dtype=d,device=device)))
def Q(o,a):c=j.sha256(f"{o}:{a}".encode()).digest();return t.Generator().manual_seed(int.from_bytes(c[:7],'little'))
def R(d,s,o,r):
 i=m(d.state_dict(),s)
 for(a,l,u)in c(s):h=t.empty(i[a].shape);l(h,Q(o,a),r);i[a].copy_(h)
def m(i,s):
 e=[]
 for n in s:
  for a in n.f():e+=i[a].unbind()if n.o else[i[a]]
 return{a:l for((a,u,u),l)in zip(c(s),e,strict=True)}
def S(tensor,generator,ledger):tensor.zero_()
def h(tensor,generator,ledger):tensor.fill_(1.)
def T(tensor,generator,ledger):tensor.fill_(1.5)
def U(tensor,generator,ledger):tensor.normal_(.0,.005,generator=generator)
B=8
class World(e):rank:e;world_size:e;ea:e;device:e
def V():
 e=o.environ.get;l,i,h=int(e('RANK',0)),int(e('WORLD_SIZE',1)),int(e('LOCAL_RANK',0))
 if i<1 or B%i:raise ValueError(f"WORLD_SIZE is {i}, wanted a divisor of {B}, the micro-batches of a step")
 return l,i,h
def W():
 l,i,h=V();e,m='gloo',t.device('cpu')
 if t.cuda.is_available():e,m='nccl',t.device('cuda',h);t.cuda.set_device(m)
 if i>1:a.init_process_group(e)
 return World(l,i,h,m)
def X(h):
 if h.world_size>1:a.destroy_process_group()
def Y(l,h):
 if h.world_size>1:a.all_reduce(l)
 return l
def Z(m,h):
 e=[m]*h.world_size
 if h.world_size>1:a.all_gather_object(e,m)
 return e
def ee(key,e,h):
 if h.world_size==1:yield from range(e);return
 o=a.distributed_c10d._get_default_store();i=o.add(key,1)
 while i<=e:yield i-1;i=o.add(key,1)
def et(m,h):
 if h.world_size==1:return m
 e=t.tensor(m,dtype=float,device=h.device);a.all_reduce(e,a.ReduceOp.MAX);return e.item()
def ea(l):
 if l.grad is None:l.grad=t.zeros_like(l)
 return l.grad
def eo(e,h):
 o=[ea(l)for l in e]
 if h.world_size>1:
  c=t.cat([i.flatten()for i in o]);a.all_reduce(c);n=(c/h.world_size).split([i.numel()for i in o])
  for(i,s)in zip(o,n,strict=True):i.copy_(s.view_as(i))
def ei(n,l,h):
 if h.world_size>1:return a.reduce_scatter(n,list(l.chunk(h.world_size)),async_op=True)
 n.copy_(l);return
def en(l,n,h):
 if h.world_size>1:return a.all_gather(list(l.chunk(h.world_size)),n,async_op=True)
 l.copy_(n);return
def es(n):
 if n is not None:n.wait()
def er(e,i):
 o=''
 try:i(e)
 except(OSError,ValueError)as n:o=f"{e.preparing}: {n}"
 for(l,h)in enumerate(Z(o,e.h)):
  if h:raise ValueError(f"{h} (on rank {l})"if l else h)
def eh(e,h):
 if h is not None:e.log(f"prepared {e.preparing}: {h}")
class Param(e):
 name:e;shape:e;group:e;P:e;init:e=None;p:e='';dtype:e='float32';layers:e=0;o:e=();reduction:e='replicated';V:e='';x:e=True;M:e=True;export:e='yes'
 def f(i):return[i.name.format(h)for h in range(i.layers)]or[i.name]
class Group(e):name:e;lr:e;weight_decay:e=.0
class Phase(e):name:e;start:e;S:e=True;p:e=''
class f:
 def __init__(i):i.done={}
 def count(i,plugin,unit,number=1):i.done[plugin,unit]=i.done.get((plugin,unit),0)+number
 def c(i,c,h):i.done[c,'']=h
 def Q(i,c):return', '.join(f"{e} {o}".strip()for((a,o),e)in i.done.items()if a==c and e)
aL=65536
def el(i,o,e):return(i/r(o)).round().clamp(-e,e).to(t.int8)
def r(o):return o[:,None]if o.ndim else o
def ed(n,o,e):return(n.float()*r(o).float()).to(e)
def ec(i,e):
 if i.ndim==2:o=(i.abs().amax(1)/31).clamp_min(1/31)
 else:o=i.abs().amax()/31;o=o if o>0 else o+1
 if e:o=o.half()
 return el(i,o.float(),31),o
def eu(n,e):
 if'kept'in n:return n['kept'].to(e)
 return ed(n['codes'],n['step'],e)
class Environment(e):y:e;export:e;r:e;v:e;F:e;score:e;seed:e;W:e;J:e;K:e
def p(a,e):
 h=o.environ.get(a,e)
 try:return int(h)
 except ValueError:raise ValueError(f"{a} is {h!r}, wanted a whole number like {e!r}")from None
def em(a,e):
 h=o.environ.get(a,e)
 try:return float(h)
 except ValueError:raise ValueError(f"{a} is {h!r}, wanted seconds like {e!r}")from None
def ef():e=o.environ.get;return Environment(e('DATA_PATH','./data/datasets/fineweb10B_sp1024'),'export'in d.argv,p('ITERATIONS',20000),em('MAX_WALLCLOCK_SECONDS',6e2),e('RUN_ID',str(s.time_ns())),'score'in d.argv,p('SEED',1337),e('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model'),p('TRAIN_LOG_EVERY',200),p('VAL_LOSS_EVERY',1000))
aM=.6931471805599453
class Score(e):val_loss:e;g:e;d:e;A:e
def ep(d,e):
 if d.numel():raise ValueError(f"target {d[0]} of the validation stream {e}")
def eg(e,d):n=e.d[d].to(e.h.device,int);o=n[:,:-1].contiguous();return o,n[:,1:].contiguous(),ew(o)
def ew(n):return{}
def ey(e,i,u,d,r,q=None):
 B,m=d[:,1:],e.h.device;i[B[r]]=u;o,l,h=eg(e,d)
 with t.set_grad_enabled(q is not None and t.is_grad_enabled()):y=e.forward(o,l,phases=e.U(),fields=h,reduction='none',adapter=q)
 a,c=al(o,l,B.to(m)),r.to(m);n=y.detach().double()*c,c,a*c;return y,t.stack([s.sum().double()for s in n])
def eb(i,e,h):
 if h.world_size>1:i=i.to(h.device);a.all_reduce(i,e)
 return i.cpu()
def ev(e,i,o,l):
 ep(1+(i[1:]==0).nonzero().flatten(),'is not scored');h,n,d=Y(o,e.h).tolist()
 if n>len(i)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(h/n,h/aM/d,int(n),1e3*(s.perf_counter()-l))
def ek(e,scored_at,learned_at=None):
 if e.h.rank==0:
  h=f"logs/{e.n.F}.scores.npz"
  if learned_at is None:q.savez_compressed(h,scored_at=scored_at.numpy())
  else:q.savez_compressed(h,scored_at=scored_at.numpy(),learned_at=learned_at.numpy())
class Span(e):start:e;end:e;Z:e
def ex(i,e):return[Span(h,h+e,0)for h in range(0,(i-1)//e*e,e)]
def ej(e,l,i):return e[len(e)*l//i:len(e)*(l+1)//i]
def eq(n,c,e):
 d=t.zeros(c,e+1,dtype=int);r=t.zeros(c,e,dtype=bool)
 for(o,(h,i,a))in enumerate(n):d[o,:i+1-h]=t.arange(h,i+1);r[o,a:i-h]=True
 return d,r
def ez(e,n):
 l,h,c=s.perf_counter(),e.h,e.R;e.model.eval();n=ej(n,h.rank,h.world_size);i=t.zeros(len(e.d),dtype=t.int32);o=t.zeros(3,dtype=float,device=h.device)
 for(m,u)in enumerate(range(0,len(n),c),1):
  d,r=eq(n[u:u+c],c,e.m);o+=ey(e,i,m,d,r)[1]
  if m%100==0:e.log(f"eval: batch {m}")
 e.model.train();i=eb(i,a.ReduceOp.MAX,h);return ev(e,i,o,l),i
def eA(s):return{a:n.P for(a,u,n)in c(s)if n.export!='drop'}
def eB(i,s,c,r):
 e,h=eA(s),{}
 for(a,o)in e.items():n=J[o].encode(a,i[a],c.get(a,{}),r);h[a]={l:m.cpu()for(l,m)in n.items()}
 return eC(h)
def eC(h):return h
def eD(h,r):return ao(at(h,r),r)
def eE(data,i):
 e=2**20+sum(8*l.numel()+4096 for l in i.values())
 try:return aa(ai(data,e))
 except Exception as n:raise ValueError(f"the artifact cannot be read: {n}")from n
def eF(a,n,o,e):return J[o].decode(a,n,e)
def eG(h,i,s):
 e=eA(s)
 if h.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(a,o)in e.items():
  try:l=eH(a,h[a],o,i[a].dtype)
  except Exception as n:raise ValueError(f"the artifact's {a} cannot be decoded: {n!r}")from n
  if l.shape!=i[a].shape:raise ValueError(f"{a}: shape {[*l.shape]}, wanted {[*i[a].shape]}")
  i[a].copy_(l)
def eH(a,n,o,e):return eF(a,n,o,e)
class eI:
 def __init__(i,c,l,e):
  i.rank,i.b=l,l==0;n('logs').mkdir(exist_ok=True);i.path=n('logs',c+'.txt')
  if i.b and not e:i.path.write_text('')
  d.excepthook=z(eJ,i.path);faulthandler.register(signal.SIGTERM,i.path.open('a'),chain=True)
 def __call__(i,line):
  if i.b:
   print(line,flush=True)
   with i.path.open('a')as a:print(line,file=a)
 def B(i,h):
  if i.b:i(f"error: {h}")
  elif h not in i.path.read_text():
   with i.path.open('a')as a:print(f"rank {i.rank}: error: {h}",file=a)
def eJ(path,kind,error,trace):
 with path.open('a')as a:traceback.print_exception(error,file=a)
 d.__excepthook__(kind,error,trace)
def eK(l,device):
 c=j.sha256(n(d.argv[0]).read_bytes()).hexdigest();e=f"hardware:{o.uname().machine} CPU, {t.get_num_threads()} threads"
 if device.type=='cuda':e=subprocess.getoutput('nvidia-smi')
 l(f"Running Python {d.version}\nRunning PyTorch {t.__version__}\ncode_sha256:{c}\n{e}")
def eL():return len(n(d.argv[0]).read_bytes())
C='final_model.pt'
D='final_export.pt'
def g():return J['mlp'].name
def eM(a):return n(f"final_model.{g()}.ptz")
def eN(e,o):
 i=m(e.model.state_dict(),e.parameters)
 if e.h.rank==0:n(D).unlink(missing_ok=True);w(z(t.save,i),C)
 c=eR(e)
 if e.h.rank==0:d=c,e.ledger.done,e.phases,e.failed,e.i.begin_ms;w(z(t.save,d),D)
 eO(e,i,c)
def eO(e,i,c):
 h=e.validate();e.i.end('diagnostic','val');e.log(f"diagnostic pre-quantization post-ema val_loss:{h.val_loss:.8f} val_bpb:{h.g:.8f} eval_time:{h.A:.0f}ms")
 if e.h.rank==0:eS(e,i,c)
 et(.0,e.h);eU(e)
def w(i,h):
 e=n('final_model.tmp')
 try:
  i(e)
  with e.open('rb')as a:o.fsync(a.fileno())
  e.replace(h)
 finally:e.unlink(missing_ok=True)
def eP(e):
 i=m(e.model.state_dict(),e.parameters);o,d=eQ(C,e),eQ(D,e);h=[a for a in i if a not in o or o[a].shape!=i[a].shape]
 if h:raise ValueError(f"{C} is of another model: {h[0]} is missing or has another shape")
 for(a,l)in i.items():l.copy_(o[a])
 c,n,e.phases,e.failed,e.i.begin_ms=d;e.ledger.done.update(n);e.i.G(e.i.begin_ms);eO(e,i,c)
def eQ(h,e):
 try:return t.load(h,e.h.device,weights_only=True)
 except OSError:raise
 except Exception as n:raise ValueError(f"{h} is damaged: {str(n)[:99]!r}")from n
def eR(e):c={};e.training_data=False;return c
def eS(e,i,c):h=eB(i,e.parameters,c,e.ledger);e.i.end('quantize','none');o=eD(h,e.ledger);e.i.end('compress','none');w(z(n.write_bytes,data=o),eM(None));a=f"{g()}+zlib";e.log(f"Serialized model: {n(C).stat().st_size} bytes\nCode size: {eL()} bytes\nSerialized model {a}: {len(o)} bytes\nTotal submission size {a}: {len(o)+eL()} bytes")
def eT(e):
 s,a=e.parameters,None;i=m(e.model.state_dict(),s)
 for l in i.values():l.zero_()
 o=eM(a).read_bytes();c=j.sha256(o).hexdigest()
 if e.n.score:
  d=''.join(h.read_text()for h in n('logs').glob('*.txt'))
  if'artifact_sha256:'in d and c not in d:raise ValueError('the artifact is not that of the logs in logs/')
 e.log('artifact_sha256:'+c);eG(eE(o,i),i,s)
def eU(e):o=g();eT(e);e.i.end('decode','none');h,i=ez(e,ex(len(e.d),e.m));e.i.end('score','val');eV(e,f"{o}_zlib_roundtrip",h);ek(e,i);e.ledger.count('chunked_eval','targets',h.d)
def eV(e,a,h):e.log(f"final_{a} val_loss:{h.val_loss:.4f} val_bpb:{h.g:.4f} eval_time:{h.A:.0f}ms\nfinal_{a}_exact val_loss:{h.val_loss:.8f} val_bpb:{h.g:.8f}")
def eW(e):
 i=[c.p for c in u if c.name not in e.phases];h=False
 for a in aU:
  o=e.ledger.Q(a)
  if o and a not in i:e.log(f"receipt {a}: {o}")
  else:e.log(f"error: plugin {a} did nothing");h=e.h.rank==0
 return h
class eX:
 def __init__(i,d,s,h):i.h=h;r=[(d.get_parameter(a),O(n,a),n)for n in s for a in n.f()];i.tensors=[l for(l,o,n)in r];i.names=[o for(l,o,n)in r];i.replicated=[l for(l,o,n)in r if n.reduction=='replicated'];i.w=[l for(l,o,n)in r if n.x];i.N=[o for(l,o,n)in r if n.x];t=[l for(l,o,n)in r if n.group=='matrix'];e=[o for(l,o,n)in r if n.group=='matrix'];ax(t,e,h);m=[(c,[l for(l,o,n)in r if n.group==c.name],[o for(l,o,n)in r if n.group==c.name])for c in aS];am(m)
 @t.no_grad()
 def step(i,scalars,ledger):
  aj();eo(i.replicated,i.h);af(scalars,ledger);aq(scalars,ledger)
  for l in i.tensors:l.grad=None
def eY(e):
 if t.cuda.is_available():return t.compile(e,dynamic=False,fullgraph=True)
 return e
def eZ():return{}
def te(e,o,i):return ay(e,i).contiguous()
def tt(i,e,a):e.mul_(a).add_(i);return i.add(e,alpha=a)
def ta(e):return max(1,e.shape[-2]/e.shape[-1])**.5
class Progress(e):step:e;r:e;z:e;j:e;ee:e;l:e
class Scalars(e):l:e;X:e;momentum:e
def to(o,a,n,i):h=n/i if i>0 else o/max(a,1);return Progress(o,a,n,i,h,1.)
class Context(e):
 ids:e;phases:e;training:e;s:e;memo:e;fields:e;q:e;D:e;ledger:e
 def a(i,c,o,e=1):
  if i.ledger is not None:i.ledger.count(c,o,e)
aN=1.1920929e-07
def y(o):return l.rms_norm(o,(o.size(-1),),eps=aN)
def ti(i,a,e):i=aF(i,a,e);return i
def tn(i,o,a,h,n,e):
 i=ti(i,a,e)
 if e.D is not None:e.D(a,h,o)
 return b(l.linear(o,i.to(o.dtype)),o,a,n,e)
def b(l,o,i,n,e):
 if e.q is not None and i in e.q.sites:l=l+e.q.delta(o,i,n)
 return l
def ts(i,h,e):
 if'rope'not in e.memo:o,r,m=i.size(1),i.size(3),i.device;n=h**(-t.arange(0,r,2,dtype=t.float32,device=m)/r);c=t.outer(t.arange(o,dtype=t.float32,device=m),n);e.memo['rope']=c.cos(),c.sin()
 s,d=(u[None,:,None,:].to(i.dtype)for u in e.memo['rope']);l,a=i.chunk(2,-1);return t.cat((l*s+a*d,a*s-l*d),-1)
class GPT(A.Module):
 def __init__(i,s,device,e):super().__init__();i.records=s;P(i,s,device,e)
 def matrices(i):return m(dict(i.named_parameters()),i.records)
 def matrix(i,role,layer,position,ctx):return ti(ctx.s[f"blocks.{layer}.{role}.weight"],role,ctx)
 def u(i,o,a,h,n,e):return tn(e.s[f"blocks.{h}.{a}.weight"],o,a,h,n,e)
 def stem(i,ids,ctx):o=l.embedding(ids,ctx.s['tok_emb.weight']);o=y(o);return o
 def forward(i,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):l=fields or{};s={};fields={**s,**l};e=Context(ids,phases,i.training,i.matrices(),{},fields,adapter,observe,ledger);o=i.stem(ids,e);o=y(tP(i,o,o,e));d=tX(o,e);c=tq(d,targets,reduction,e);return c
aO=20240520
aP=1
E=1024
def tr(o):
 o=n(o);e=sorted(h for h in o.parent.glob(o.name)if('_bytes_'in h.name)==('_bytes_'in o.name))
 if not e:raise ValueError(f"{o}: no shard matches, see DATA_PATH")
 return e
def th(h):
 d,e=n(h).stat().st_size,q.fromfile(h,'<i4',3).tolist()
 if d<=E or e!=[aO,aP,(d-E)/2]:raise ValueError(f"{h}: {d} bytes and header {e}, wanted {E} + 2n bytes and header [{aO}, {aP}, n > 0]")
 return e[2]
def v(h,a):
 n=q.memmap(h,'<u2','r',E,th(h))
 if n.max()>=a:raise ValueError(f"{h}: token {n.argmax()} is {n.max()}, wanted an id below {a}")
 return n
def tl(o,e,a):
 n=q.concatenate([v(h,a)for h in tr(o)])
 if len(n)<=e:raise ValueError(f"{o}: {len(n)} tokens, wanted at least {e+1}")
 return t.from_numpy(n[:(len(n)-1)//e*e+1])
class td:
 def __init__(i,l):i.log=l;i.begin_ms=.0;i.I=s.perf_counter()
 def G(i,n):i.I=s.perf_counter()-n/1e3
 def end(i,name,data):e=1e3*(s.perf_counter()-i.I);i.log(f"stage:{name} begin:{i.begin_ms:.0f}ms end:{e:.0f}ms data:{data}");i.begin_ms=e
class tc:
 def __init__(i,s,a,h,l,r):i.parameters=s;i.n=a;i.h=h;i.log=l;i.ledger=r;i.phases=();i.preparing='';i.i=td(l);i.failed=False;i.training_data=not(a.score or a.export);i.E=0;i.m=1024;i.R=max(524288//(B*i.m),1);e=t.bfloat16 if h.device.type=='cuda'else t.float32;t._dynamo.config.recompile_limit=16;i.model=GPT(s,h.device,e);R(i.model,s,a.seed,r);i.forward=eY(i.model);o=n(a.y,'fineweb_val_*.bin');i.d=tl(o,i.m,1024);ah(a.W,a.y,1024,h.device,r);c=j.sha256(i.d.numpy().data).hexdigest();l(f"val_loader:shards pattern={o} tokens:{len(i.d)-1}\nval_sha256:{c}")
 def k(i,r):o=n(i.n.y,'fineweb_train_*.bin');h=i.h;ad(o,h.rank,h.world_size,1024,r)
 def C(i):
  if not i.training_data:raise ValueError('training data are closed: training time is over')
  h=i.h;m=au(524288//B,1024);o,l=(s.to(h.device,non_blocking=True)for s in m);return o,l,{}
 def Y(i,h):i.log(f"error: {h}");i.failed=True
 def U(i):return tuple(c.name for c in u if c.S and c.name in i.phases)
 def validate(i):return ez(i,ex(len(i.d),i.m))[0]
 def et(i):i.model.requires_grad_(False)
 def ei(i):o=[a for n in i.parameters if n.M for a in n.f()];return[i.model.get_parameter(a).requires_grad_(True)for a in o]
 def eo(i,e):i.E+=1;return ee(f"work {i.E}",e,i.h)
def tu(a):
 e=[()]
 for c in a:e+=[(*h,c.name)for h in e]
 return e
def tm(e):
 d,r=e.model,e.ledger;o,l,h=e.C();o,l=o[:1,:512],l[:1,:512];h={a:m[:1,:512]for(a,m)in h.items()};i=tuple(c.name for c in u);d(o,l,phases=i,fields=h,ledger=r).backward()
 for n in e.parameters:s=sum(d.get_parameter(a).grad is not None for a in n.f());r.count(n.p,'trained tensors',s)
 d.zero_grad()
def tf(e,k):
 i=e.model.state_dict();n={a:l.clone()for(a,l)in i.items()};d,c=eX(e.model,e.parameters,e.h),f();e.k(c)
 for h in tu(u):
  for o in range(20):k(e,d,h,Scalars(1.,1.,.9),c);e.log(' '.join((f"warmup_step:{o+1}/20",*h)))
 for(a,l)in i.items():l.copy_(n[a])
 t.manual_seed(e.n.seed);e.k(e.ledger)
def tp(s,i):
 try:a,h,r=ef(),W(),f()
 except ValueError as n:print(f"error: {n}",file=d.stderr);d.exit(2)
 c=Z(a.F,h)[0];l=eI(c,h.rank,a.export);t.manual_seed(a.seed);t.backends.cuda.matmul.allow_tf32=True
 if a.v==0:tw()
 eK(l,h.device);l('plugins:'+' '.join(aU));e=tg(s,a,h,l,r,i)
 if e.training_data:
  ty(e);tm(e);tf(e,k);o=tk(e)
  try:eN(e,o)
  except(OSError,ValueError)as n:l.B(str(n));d.exit(f"error: rank {h.rank}: {n}")
 m=not a.score and(eW(e)or e.failed);X(h)
 if m:d.exit(1)
def tg(s,a,h,l,r,i):
 try:
  e=tc(s,a,h,l,r);er(e,i)
  if a.export:eP(e)
  elif a.score:e.phases=tuple(c.name for c in u);eU(e)
  else:e.k(f())
  return e
 except(OSError,ValueError)as n:
  l.B(str(n))
  if not a.export:X(h)
  d.exit(2)
def tw():o.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');t.use_deterministic_algorithms(True)
def ty(e):a,i=e.n,e.h.world_size;e.log(f"model_params:{sum(l.numel()for l in e.model.parameters())}\nworld_size:{i} grad_accum_steps:{B//i}\nseed:{a.seed}\ntrain_batch_tokens:524288 train_seq_len:1024 iterations:{a.r} warmup_steps:20 max_wallclock_seconds:{a.v:.3f}")
def k(session,optimizers,phases,scalars,ledger):
 i=B//session.h.world_size;n=.0
 for u in range(i):o,l,h=session.C();c=session.forward(o,l,phases=phases,fields=h)/i;n+=c.detach();c.backward()
 optimizers.step(scalars,ledger);return n
def tb(e,o,n,i):
 h=to(o,e.n.r,n,i);s=Scalars(1.,1.,.0)
 for l in(ap,aE):s=l(h,s,e.ledger)
 for c in u:
  if c.name not in e.phases and c.start(h._replace(l=s.l)):e.phases=tuple(a.name for a in u if a.name in e.phases or a is c);e.ledger.c(c.p,f"on at step {o}");e.log(f"phase {c.name} on at step:{o} train_time:{n:.0f}ms")
 return s
def tv(e):i=e.n.v;return 1e3*i
def tk(e):
 a=e.n;d=eX(e.model,e.parameters,e.h);ab(d.w,d.N);i,o,n=tv(e),0,.0;aA()
 while True:
  l=o==a.r or 0<i<=n
  if l or a.K>0 and o%a.K==0:
   aB(e.ledger);h=e.validate();tx(e,o,f"val_loss:{h.val_loss:.4f} val_bpb:{h.g:.4f}",n)
   if l:break
   aA()
  s=tb(e,o,n,i);c=k(e,d,e.phases,s,e.ledger);o+=1;av(d.w,o,s);n=et(aC(o),e.h)
  if a.J>0 and(o<=10 or o%a.J==0):
   tx(e,o,f"train_loss:{c:.4f}",n)
   if c!=c:raise ValueError('the training loss is not a number')
 if o<a.r:e.log(f"stopping_early: wallclock_cap train_time:{n:.0f}ms step:{o}/{a.r}")
 r,m=t.cuda.max_memory_allocated()>>20,t.cuda.max_memory_reserved()>>20;e.log(f"peak memory allocated: {r} MiB reserved: {m} MiB");ak(d.w,e.ledger);e.i.G(n);e.i.end('train','train');return o
def tx(e,o,i,n):e.log(f"step:{o}/{e.n.r} {i} train_time:{n:.0f}ms step_avg:{n/max(o,1):.2f}ms")
def tj(o,n,a,e):e.a('additive_skips','skips');return o+e.s['skip_weights'][a].to(o.dtype)*n
def tq(i,h,reduction,e):e.a('cross_entropy','losses');c=l.cross_entropy(i.flatten(0,1).float(),h.flatten(),reduction=reduction);return c.view_as(h)if reduction=='none'else c
def tz(i,e):e.a('partial_rope','rotations');h=ts(i[...,:16],1e4,e);return t.cat((h,i[...,16:]),-1)
class tA:
 def __init__(i):i.offset=16
 def __call__(i,model,q_BTHC,k_BTKC,n_BTD,layer,position,ctx):
  if layer<4:return q_BTHC,k_BTKC
  ctx.a('pko','layers');o=k_BTKC[...,16:];a=t.cat((o[:,:1],o[:,:-1]),dim=1)
  if'starts'in ctx.fields:a=t.where(ctx.fields['starts'][:,:,None,None],o,a)
  return q_BTHC,t.cat((k_BTKC[...,:16],a),dim=-1)
def tB(model,q_BTHC,k_BTKC,n_BTD,layer,position,ctx):ctx.a('qk_gain','layers');i=ctx.s[f"blocks.{layer}.attn.q_gain"].to(q_BTHC.dtype);return q_BTHC*i[:,None],k_BTKC
def tC(d,c,h,n,e):e.a('relu2','layers');i=l.relu(d.u(c,'mlp.fc',h,n,e)).square();return d.u(i,'mlp.proj',h,n,e)
def tD(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def tE(d,c,h,n,e):
 i=d.u(c,'attn.c_q',h,n,e);o=d.u(c,'attn.c_k',h,n,e);a=d.u(c,'attn.c_v',h,n,e);i=tz(y(t.unflatten(i,2,(8,-1))),e);o=tz(y(t.unflatten(o,2,(4,-1))),e);a=t.unflatten(a,2,(4,-1))
 for s in(aV,tB):i,o=s(d,i,o,c,h,n,e)
 l=tW(i,o,a,h,e);l=d.u(l.flatten(2),'attn.proj',h,n,e);return b(l,c,'attn',n,e)
def tF(s,r,h,n,e):
 i,o,a=s.transpose(1,2),r.transpose(1,2),h.transpose(1,2)
 if n<0 or n>=i.size(2)-1:d=i.size(1)!=o.size(1);return l.scaled_dot_product_attention(i,o,a,is_causal=True,enable_gqa=d).transpose(1,2)
 return tG(s,r,h,tH(i.size(2),n,i.device,e))
def tG(s,r,h,c):i,o,a=s.transpose(1,2),r.transpose(1,2),h.transpose(1,2);n=i.size(1)//o.size(1);o,a=o.repeat_interleave(n,1),a.repeat_interleave(n,1);return l.scaled_dot_product_attention(i,o,a,attn_mask=c).transpose(1,2)
def tH(o,n,device,e):
 l='window',n
 if l not in e.memo:i=t.arange(o,device=device);h=i[:,None]-i[None,:];e.memo[l]=(h>=0)&(h<=n)
 c=e.memo[l];return c
def tI(o,c,h,e):i=e.s[f"blocks.{h}.resid_mix"].to(o.dtype);return i[0]*o+i[1]*c
def tJ(o):e=y(o);return e
def tK(d,c,h,n,e):i=tE(d,c,h,n,e);return e.s[f"blocks.{h}.attn_scale"].to(c.dtype)*i
def tL(d,c,h,n,e):i=b(tC(d,c,h,n,e),c,'mlp',n,e);return e.s[f"blocks.{h}.mlp_scale"].to(c.dtype)*i
def tM(d,i,c,h,n,e):l=tI(i[0],c,h,e);l=l+tK(d,tJ(l),h,n,e);return l+tL(d,tJ(l),h,n,e),
def tN(i,n,a,h,e):
 if n is None:return i
 return tj(i[0],n,a,e),*i[1:]
def tO(d,i,c,e):
 r,s=tY(e.phases);o='steps over 9 layers';e.a('unet_plan',o,len(r)+len(s));l=[]
 for(n,h)in enumerate(r):i=tM(d,i,c,h,n,e);l.append(i[0])
 for(a,h)in enumerate(s):i=tN(i,l.pop()if l else None,a,h,e);i=tM(d,i,c,h,len(r)+a,e)
 return i
def tP(d,i,h,e):e.a('sequential_wiring','walks');return tO(d,(i,),h,e)[0]
def tQ(device):
 if device.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as e;return'flash-attn 3',e
 except ImportError:
  try:from flash_attn import flash_attn_func as e;return'flash-attn 2',e
  except ImportError:return tT(),None
def tR(e,s,r,h,n):l=e(s,r,h,causal=True,window_size=(n,0));return l[0]if isinstance(l,tuple)else l
def tS(i,s,r,h,n,e):
 if i is not None:return tR(i,s,r,h,n)
 return tF(s,r,h,n,e)
def tT():e=t.are_deterministic_algorithms_enabled();t.backends.cuda.enable_cudnn_sdp(not e);t.backends.cuda.enable_flash_sdp(e);t.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if e else'cuDNN'
def tU(n):
 def e(batch,head,query,key):return(query>=key)&(query-key<=n)
 return e
def tV(e):
 global F;m=e.h.device;a,F=tQ(m)
 if m.type!='cuda'or F is not None:return a
 for o in(1024,e.m):i=tU(aR);G[o]=create_block_mask(i,None,None,o,o,device=m)
 return f"flex_attention (windows), {a} (full)"
def tW(i,o,a,h,e):
 c=h<4;e.a('swa','windowed layers'if c else'full layers');n=aR if c else-1
 if c and e.ledger is None and i.size(1)in G:d=i.size(2)!=o.size(2);s=i.transpose(1,2),o.transpose(1,2),a.transpose(1,2);l=flex_attention(*s,block_mask=G[i.size(1)],enable_gqa=d);return l.transpose(1,2)
 return tS(F,i,o,a,n,e)
def tX(i,e):e.a('tied_head','heads');h=tn(e.s['tok_emb.weight'],i,'head',0,0,e);return 3e1*t.tanh(h/3e1)
def tY(a):i=tuple(range(9));return i[:len(i)//2],i[len(i)//2:]
def x(tensor,generator,ledger):e=tensor.shape[-1]**-.5;tensor.uniform_(-e,e,generator=generator);ledger.count('uniform_init','matrices')
def tZ(h):e=io.BytesIO();i={d.intern(a):{d.intern(l):s for(l,s)in n.items()}for(a,n)in h.items()};t.save(i,e);return e.getvalue()
def ae(data):return t.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def at(h,r):o=tZ(h);r.c('torch_save',f"{len(h)} tensors in {len(o)} bytes");return o
def aa(data):return ae(data)
def ao(data,r):c=zlib.compress(data,9);r.c('zlib',f"{len(data)} -> {len(c)} bytes");return c
def ai(data,e):
 s=zlib.decompressobj();i=s.decompress(data,e)
 if not s.eof or s.unused_data:raise ValueError(f"wanted one whole stream of at most {e} bytes")
 return i
aQ='\u2581'
def an(h,a):
 try:e=SentencePieceProcessor(h)
 except(OSError,RuntimeError)as n:raise OSError(f"{h}: not a SentencePiece model")from n
 if len(e)>a:raise ValueError(f"{h} has {len(e)} pieces, wanted at most vocab_size={a}")
 if e.piece_to_id(aQ)==e.unk_id():raise ValueError(f"{h}: U+2581 is not a piece of its own")
 return e
def ar(e,a):
 c=[(0,0,1)]*a
 for i in range(len(e)):
  if not(e.is_control(i)or e.is_unknown(i)or e.is_unused(i)):h=e.id_to_piece(i);o=h.startswith(aQ);c[i]=1 if e.is_byte(i)else len(h.encode())-3*o,o,0
 return t.tensor(c).T
def ah(i,l,a,device,r):
 global oa,ot,aW,oe
 if any(n(l).glob('*_bytes_*')):raise ValueError(f"{l}: it has byte side files, build with the plugin that reads them")
 e=ar(an(i,a),a);oe,ot,oa=e.to(device);aW=r
def al(i,e,h):aW.count('sentencepiece_bytes','targets',e.numel());a=oe[e]+(ot[e]&~oa[i]);return a
def ad(o,l,i,a,r):
 global K,os,oo,L,on,oi;K=tr(o)
 for h in K:th(h)
 oo,oi,on,os=l,i,a,r;L=v(K[0],a)
def ac(e):
 global L;n=[]
 while e>0:
  if not len(L):K.append(K.pop(0));L=v(K[0],on)
  n.append(L[:e]);L=L[e:];e-=len(n[-1])
 return q.concatenate(n)
def au(n,e):i=ac(oi*(n+1)).reshape(oi,-1)[oo];i=t.from_numpy(i.astype(int));os.count('sequential_loader','batches');return i[:-1].reshape(-1,e),i[1:].reshape(-1,e)
def am(m):global aX;h=[{'params':e,'spec':c}for(c,e,o)in m];aX=t.optim.AdamW(h,betas=(.9,.95),eps=1e-08,fused=True)
def af(s,r):
 for n in aX.param_groups:n['lr']=n['spec'].lr*s.l;n['weight_decay']=n['spec'].weight_decay*s.X
 aX.step();r.count('adam','steps')
def ap(progress,scalars,ledger):e=min(progress.step/500,1.);a=(1-e)*.85+e*.95;ledger.c('momentum_warmup',f"momentum {a:.4f} at step {progress.step}");return scalars._replace(momentum=a)
def ag(o,i,h):
 n=o.shape[-2]>o.shape[-1]
 if n:o=o.mT
 o=o/(o.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for u in range(i):e=o@o.mT;a=2.0315*e@e if h else 2.0315*(e@e);o=3.4445*o+(-4.775*e+a)@o
 return o.mT if n else o
def aw(update,steps,scale_first):return ag(update.bfloat16(),steps,scale_first)
def ay(e,i):
 global I
 if I is None:I=eY(aw)
 return I(e,i,False)
def ab(e,o):0
def av(e,i,s):0
def ak(e,r):r.c('no_average','last weights')
class MuonBank(e):weight:e;names:e;O:e;full:e;H:e;momentum:e;L:e
def ax(e,o,h):
 global M,ol,oh,N;oh,N,ol=None,h,eZ();M=[];B=t.bfloat16 if h.device.type=='cuda'else t.float32
 for(i,s)in sorted(zip(e,o,strict=True),key=lambda pair:-pair[0].numel()):*u,c,K=i.shape;m=-(-len(s)//h.world_size);r=(*s,*['']*m*h.world_size)[m*h.rank:][:m];y=[(d,c,K)for d in(m*h.world_size,m)];l,n=[t.zeros(q,dtype=B,device=h.device)for q in y];L,a=[t.zeros(q,dtype=t.bfloat16,device=h.device)for q in y];M.append(MuonBank(i,s,r,l,n,a,L))
def aj():
 global aY;aY=[]
 for h in M:i=ea(h.weight).bfloat16();h.full.flatten()[:i.numel()].copy_(i.flatten());aY.append(ei(h.H,h.full,N))
def aq(s,r):
 o=[]
 for(h,n)in zip(M,aY,strict=True):
  es(n);l=N.world_size;i=(h.H/l).bfloat16();e=tt(i,h.momentum,s.momentum);e=te(e,h.O,5);o.append((h,en(h.L,e,N),e))
  if len(o)>1:az(*o.pop(0),s,r)
 for a in o:az(*a,s,r)
def az(h,n,e,s,r):es(n);i,l=h.weight,aT*s.l;o=h.L.flatten()[:i.numel()].view_as(i);i.add_(o,alpha=-l*ta(i));r.count('parallel_muon','bank updates');r.count('newton_schulz','matrices',h.L.size(0))
def aA():global aZ;aZ=s.perf_counter()-H
def aB(r):
 global H
 if t.cuda.is_available():t.cuda.synchronize()
 H=s.perf_counter()-aZ;r.c('wall_clock',f"{H:.3f} seconds")
def aC(o):return 1e3*(s.perf_counter()-aZ)
def aD(h,o):
 if o<=0:return 1.
 if h.j>0:i=o*(h.z/max(h.step,1));return min(max(h.j-h.z,.0)/max(i,1e-09),1.)
 e=h.r-h.step;return e/o if 0<e<=o else 1.
def aE(progress,scalars,ledger):e=aD(progress,1200);ledger.c('warmdown_iters',f"multiplier {e:.4f} at step {progress.step}");return scalars._replace(l=scalars.l*e)
def aF(i,a,e):
 if a=='head'or not e.training or'bank_qat'not in e.phases:return i
 e.a('bank_qat','matrices');n,o=ec(i.detach().float(),True);return i+(ed(n,o,i.dtype)-i).detach()
def aG(progress):return progress.l<.15
class aH:
 name='int6'
 def encode(i,name,tensor,statistics,ledger):
  if tensor.numel()<=aL:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');n,o=ec(tensor.float(),True);return{'codes':n,'step':o}
 def decode(i,name,parts,kind):return eu(parts,kind)
class aI:
 name='int8'
 def __init__(i,e):i.half=e
 def encode(i,name,tensor,statistics,ledger):
  if tensor.numel()<=aL:ledger.count('int8','tensors kept');return{'kept':tensor.half()if i.half else tensor.float()}
  ledger.count('int8','tensors quantized');n,o=aJ(tensor.float());return{'codes':n,'step':o}
 def decode(i,name,parts,kind):return eu(parts,kind)
def aJ(i):
 if i.ndim==2:e=t.quantile(i.abs(),.9999984,1);o=(e/127).clamp_min(1/127);h=o.half()
 else:e=t.quantile(i.abs().flatten(),.9999984);h=o=e/127 if e>0 else e+1
 e=r(e);return el(i.clamp(-e,e),o,127),h
def aK():return Param('qo_bank',(18,512,512),'matrix','attn',(x,S),'banks',o=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(18,256,512),'matrix','attn',(x,x),'banks',o=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(9,1024,512),'matrix','mlp',(x,),'banks',o=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(9,512,1024),'matrix','mlp',(S,),'banks',o=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(4,512),'scalar','control',h,'additive_skips'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',T,'qk_gain',layers=9),Param('blocks.{}.attn_scale',(512,),'scalar','control',h,'residual_scales',layers=9),Param('blocks.{}.mlp_scale',(512,),'scalar','control',h,'residual_scales',layers=9),Param('blocks.{}.resid_mix',(2,512),'scalar','control',tD,'residual_scales',layers=9),Param('tok_emb.weight',(1024,512),'embed','embed',U,'tied_head','activation',V='head')
def i(session):session.preparing='swa';eh(session,tV(session))
aR=256
F=None
G={}
H=.0
aS=Group('embed',.05),Group('scalar',.04)
aT=.04
I=None
u=Phase('bank_qat',aG,False,'bank_qat'),
aU='adam','additive_skips','bank_qat','banks','chunked_eval','cross_entropy','int6','int8','momentum_warmup','newton_schulz','no_average','parallel_muon','partial_rope','pko','qk_gain','relu2','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','swa','tied_head','torch_save','unet_plan','uniform_init','wall_clock','warmdown_iters','zlib'
aV=tA()
J={'attn':aH(),'control':aI(False),'embed':aI(True),'mlp':aH()}
if __name__=='__main__':tp(aK(),i)