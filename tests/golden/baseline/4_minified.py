import faulthandler,hashlib as j,io,numpy as q,os as l,signal,subprocess,sys as d,time as n,torch as t,torch.distributed as a,torch.nn.functional as s,traceback,zlib
from functools import partial as z
from pathlib import Path as i
from sentencepiece import SentencePieceProcessor
from torch import nn as A
from typing import Any,NamedTuple as e
def M(i,a):
 if not i.h:return a,
 o=range(i.shape[0]//len(i.h));return tuple(e.format(r)for e in i.h for r in o)
def c(n):
 s=[]
 for i in n:
  if i.h:
   o=range(i.shape[0]//len(i.h))
   for(e,d)in zip(i.h,i.init,strict=True):s+=[(e.format(r),d,i)for r in o]
  else:s+=[(a,i.init,i)for a in i.c()]
 return s
def N(h,n,device,e):
 for i in n:
  s=e if i.dtype=='activation'else t.float32
  for a in i.c():
   *r,d=a.split('.');o=h
   for l in r:
    if l not in o._modules:o.add_module(l,A.ModuleList())
    o=o._modules[l]
   o.register_parameter(d,A.Parameter(t.empty(i.shape,dtype=s,device=device)))
def O(h,a):c=j.sha256(f"{h}:{a}".encode()).digest();return t.Generator().manual_seed(int.from_bytes(c[:7],'little'))
def P(l,n,h,s):
 o=u(l.state_dict(),n)
 for(a,d,m)in c(n):r=t.empty(o[a].shape);d(r,O(h,a),s);o[a].copy_(r)
def u(o,n):
 l=[]
 for i in n:
  for a in i.c():l+=o[a].unbind()if i.h else[o[a]]
 return{a:h for((a,m,m),h)in zip(c(n),l,strict=True)}
def Q(tensor,generator,ledger):tensor.zero_()
def r(tensor,generator,ledger):tensor.fill_(1.)
def R(tensor,generator,ledger):tensor.fill_(1.5)
def S(tensor,generator,ledger):tensor.normal_(.0,.005,generator=generator)
B=8
class World(e):rank:e;world_size:e;Y:e;device:e
def T():
 e=l.environ.get;n,o,h=int(e('RANK',0)),int(e('WORLD_SIZE',1)),int(e('LOCAL_RANK',0))
 if o<1 or B%o:raise ValueError(f"WORLD_SIZE is {o}, wanted a divisor of {B}, the micro-batches of a step")
 return n,o,h
def U():
 n,o,h=T();e,u='gloo',t.device('cpu')
 if t.cuda.is_available():e,u='nccl',t.device('cuda',h);t.cuda.set_device(u)
 if o>1:a.init_process_group(e)
 return World(n,o,h,u)
def V(r):
 if r.world_size>1:a.destroy_process_group()
def W(h,r):
 if r.world_size>1:a.all_reduce(h)
 return h
def X(d,r):
 e=[d]*r.world_size
 if r.world_size>1:a.all_gather_object(e,d)
 return e
def Y(h,e,r):
 if r.world_size==1:yield from range(e);return
 i=a.distributed_c10d._get_default_store();o=i.add(h,1)
 while o<=e:yield o-1;o=i.add(h,1)
def Z(d,r):
 if r.world_size==1:return d
 e=t.tensor(d,dtype=float,device=r.device);a.all_reduce(e,a.ReduceOp.MAX);return e.item()
def ee(h):
 if h.grad is None:h.grad=t.zeros_like(h)
 return h.grad
def et(l,r):
 o=[ee(h)for h in l]
 if r.world_size>1:
  n=t.cat([e.flatten()for e in o]);a.all_reduce(n);i=(n/r.world_size).split([e.numel()for e in o])
  for(e,m)in zip(o,i,strict=True):e.copy_(m.view_as(e))
def ea(e,o):
 h=''
 try:o(e)
 except(OSError,ValueError)as i:h=f"{e.preparing}: {i}"
 for(n,r)in enumerate(X(h,e.r)):
  if r:raise ValueError(f"{r} (on rank {n})"if n else r)
def eo(e,r):
 if r is not None:e.log(f"prepared {e.preparing}: {r}")
class Param(e):
 name:e;shape:e;group:e;M:e;init:e=None;L:e='';dtype:e='float32';layers:e=0;h:e=();reduction:e='replicated';Q:e='';k:e=True;J:e=True;export:e='yes'
 def c(o):return[o.name.format(r)for r in range(o.layers)]or[o.name]
class Group(e):name:e;lr:e;weight_decay:e=.0
class m:
 def __init__(o):o.done={}
 def count(o,plugin,unit,number=1):o.done[plugin,unit]=o.done.get((plugin,unit),0)+number
 def d(o,i,r):o.done[i,'']=r
 def N(o,i):return', '.join(f"{e} {h}".strip()for((a,h),e)in o.done.items()if a==i and e)
aq=65536
def ei(o,l,e):return(o/h(l)).round().clamp(-e,e).to(t.int8)
def h(l):return l[:,None]if l.ndim else l
def en(r,l,e):return(r.float()*h(l).float()).to(e)
def es(i,e):
 if'kept'in i:return i['kept'].to(e)
 return en(i['codes'],i['step'],e)
class Environment(e):w:e;export:e;n:e;b:e;E:e;score:e;seed:e;R:e;H:e;I:e
def f(a,e):
 r=l.environ.get(a,e)
 try:return int(r)
 except ValueError:raise ValueError(f"{a} is {r!r}, wanted a whole number like {e!r}")from None
def er(a,e):
 r=l.environ.get(a,e)
 try:return float(r)
 except ValueError:raise ValueError(f"{a} is {r!r}, wanted seconds like {e!r}")from None
def eh():e=l.environ.get;return Environment(e('DATA_PATH','./data/datasets/fineweb10B_sp1024'),'export'in d.argv,f('ITERATIONS',20000),er('MAX_WALLCLOCK_SECONDS',6e2),e('RUN_ID',str(n.time_ns())),'score'in d.argv,f('SEED',1337),e('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model'),f('TRAIN_LOG_EVERY',200),f('VAL_LOSS_EVERY',1000))
az=.6931471805599453
class Score(e):val_loss:e;p:e;s:e;z:e
def el(l,e):
 if l.numel():raise ValueError(f"target {l[0]} of the validation stream {e}")
def ed(e,l):i=e.s[l].to(e.r.device,int);h=i[:,:-1].contiguous();return h,i[:,1:].contiguous(),ec(h)
def ec(i):return{}
def eu(e,o,d,l,s,q=None):
 B,u=l[:,1:],e.r.device;o[B[s]]=d;h,n,r=ed(e,l)
 with t.set_grad_enabled(q is not None and t.is_grad_enabled()):K=e.forward(h,n,phases=e.P(),fields=r,reduction='none',adapter=q)
 a,c=ae(h,n,B.to(u)),s.to(u);i=K.detach().double()*c,c,a*c;return K,t.stack([m.sum().double()for m in i])
def em(o,e,r):
 if r.world_size>1:o=o.to(r.device);a.all_reduce(o,e)
 return o.cpu()
def ef(e,o,h,d):
 el(1+(o[1:]==0).nonzero().flatten(),'is not scored');r,i,a=W(h,e.r).tolist()
 if i>len(o)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(r/i,r/az/a,int(i),1e3*(n.perf_counter()-d))
def ep(e,scored_at,learned_at=None):
 if e.r.rank==0:
  r=f"logs/{e.o.E}.scores.npz"
  if learned_at is None:q.savez_compressed(r,scored_at=scored_at.numpy())
  else:q.savez_compressed(r,scored_at=scored_at.numpy(),learned_at=learned_at.numpy())
class Span(e):start:e;end:e;V:e
def eg(o,e):return[Span(r,r+e,0)for r in range(0,(o-1)//e*e,e)]
def ew(e,n,o):return e[len(e)*n//o:len(e)*(n+1)//o]
def ey(c,i,e):
 l=t.zeros(i,e+1,dtype=int);s=t.zeros(i,e,dtype=bool)
 for(h,(r,o,a))in enumerate(c):l[h,:o+1-r]=t.arange(r,o+1);s[h,a:o-r]=True
 return l,s
def eb(e,c):
 d,r,i=n.perf_counter(),e.r,e.O;e.model.eval();c=ew(c,r.rank,r.world_size);o=t.zeros(len(e.s),dtype=t.int32);h=t.zeros(3,dtype=float,device=r.device)
 for(u,m)in enumerate(range(0,len(c),i),1):
  l,s=ey(c[m:m+i],i,e.f);h+=eu(e,o,u,l,s)[1]
  if u%100==0:e.log(f"eval: batch {u}")
 e.model.train();o=em(o,a.ReduceOp.MAX,r);return ef(e,o,h,d),o
def ev(n):return{a:i.M for(a,m,i)in c(n)if i.export!='drop'}
def ek(o,n,c,s):
 e,r=ev(n),{}
 for(a,l)in e.items():i=H[l].encode(a,o[a],c.get(a,{}),s);r[a]={h:d.cpu()for(h,d)in i.items()}
 return ex(r)
def ex(r):return r
def ej(r,s):return tV(tT(r,s),s)
def eq(data,o):
 e=2**20+sum(8*h.numel()+4096 for h in o.values())
 try:return tU(tW(data,e))
 except Exception as i:raise ValueError(f"the artifact cannot be read: {i}")from i
def ez(a,i,l,e):return H[l].decode(a,i,e)
def eA(r,o,n):
 e=ev(n)
 if r.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(a,l)in e.items():
  try:h=eB(a,r[a],l,o[a].dtype)
  except Exception as i:raise ValueError(f"the artifact's {a} cannot be decoded: {i!r}")from i
  if h.shape!=o[a].shape:raise ValueError(f"{a}: shape {[*h.shape]}, wanted {[*o[a].shape]}")
  o[a].copy_(h)
def eB(a,i,l,e):return ez(a,i,l,e)
class eC:
 def __init__(o,c,n,e):
  o.rank,o.y=n,n==0;i('logs').mkdir(exist_ok=True);o.path=i('logs',c+'.txt')
  if o.y and not e:o.path.write_text('')
  d.excepthook=z(eD,o.path);faulthandler.register(signal.SIGTERM,o.path.open('a'),chain=True)
 def __call__(o,line):
  if o.y:
   print(line,flush=True)
   with o.path.open('a')as h:print(line,file=h)
 def A(o,r):
  if o.y:o(f"error: {r}")
  elif r not in o.path.read_text():
   with o.path.open('a')as h:print(f"rank {o.rank}: error: {r}",file=h)
def eD(path,kind,error,trace):
 with path.open('a')as h:traceback.print_exception(error,file=h)
 d.__excepthook__(kind,error,trace)
def eE(h,device):
 c=j.sha256(i(d.argv[0]).read_bytes()).hexdigest();e=f"hardware:{l.uname().machine} CPU, {t.get_num_threads()} threads"
 if device.type=='cuda':e=subprocess.getoutput('nvidia-smi')
 h(f"Running Python {d.version}\nRunning PyTorch {t.__version__}\ncode_sha256:{c}\n{e}")
def eF():return len(i(d.argv[0]).read_bytes())
C='final_model.pt'
D='final_export.pt'
def p():return H['mlp'].name
def eG(a):return i(f"final_model.{p()}.ptz")
def eH(e,l):
 o=u(e.model.state_dict(),e.parameters)
 if e.r.rank==0:i(D).unlink(missing_ok=True);g(z(t.save,o),C)
 c=eL(e)
 if e.r.rank==0:s=c,e.ledger.done,e.phases,e.failed,e.a.begin_ms;g(z(t.save,s),D)
 eI(e,o,c)
def eI(e,o,c):
 r=e.validate();e.a.end('diagnostic','val');e.log(f"diagnostic pre-quantization post-ema val_loss:{r.val_loss:.8f} val_bpb:{r.p:.8f} eval_time:{r.z:.0f}ms")
 if e.r.rank==0:eM(e,o,c)
 Z(.0,e.r);eO(e)
def g(o,r):
 e=i('final_model.tmp')
 try:
  o(e)
  with e.open('rb')as h:l.fsync(h.fileno())
  e.replace(r)
 finally:e.unlink(missing_ok=True)
def eJ(e):
 o=u(e.model.state_dict(),e.parameters);l,s=eK(C,e),eK(D,e);r=[a for a in o if a not in l or l[a].shape!=o[a].shape]
 if r:raise ValueError(f"{C} is of another model: {r[0]} is missing or has another shape")
 for(a,h)in o.items():h.copy_(l[a])
 c,i,e.phases,e.failed,e.a.begin_ms=s;e.ledger.done.update(i);e.a.F(e.a.begin_ms);eI(e,o,c)
def eK(r,e):
 try:return t.load(r,e.r.device,weights_only=True)
 except OSError:raise
 except Exception as i:raise ValueError(f"{r} is damaged: {str(i)[:99]!r}")from i
def eL(e):c={};e.training_data=False;return c
def eM(e,o,c):r=ek(o,e.parameters,c,e.ledger);e.a.end('quantize','none');l=ej(r,e.ledger);e.a.end('compress','none');g(z(i.write_bytes,data=l),eG(None));h=f"{p()}+zlib";e.log(f"Serialized model: {i(C).stat().st_size} bytes\nCode size: {eF()} bytes\nSerialized model {h}: {len(l)} bytes\nTotal submission size {h}: {len(l)+eF()} bytes")
def eN(e):
 n,a=e.parameters,None;o=u(e.model.state_dict(),n)
 for h in o.values():h.zero_()
 l=eG(a).read_bytes();c=j.sha256(l).hexdigest()
 if e.o.score:
  t=''.join(r.read_text()for r in i('logs').glob('*.txt'))
  if'artifact_sha256:'in t and c not in t:raise ValueError('the artifact is not that of the logs in logs/')
 e.log('artifact_sha256:'+c);eA(eq(l,o),o,n)
def eO(e):h=p();eN(e);e.a.end('decode','none');r,o=eb(e,eg(len(e.s),e.f));e.a.end('score','val');eP(e,f"{h}_zlib_roundtrip",r);ep(e,o);e.ledger.count('chunked_eval','targets',r.s)
def eP(e,h,r):e.log(f"final_{h} val_loss:{r.val_loss:.4f} val_bpb:{r.p:.4f} eval_time:{r.z:.0f}ms\nfinal_{h}_exact val_loss:{r.val_loss:.8f} val_bpb:{r.p:.8f}")
def eQ(e):
 o=[];h=False
 for a in aH:
  r=e.ledger.N(a)
  if r and a not in o:e.log(f"receipt {a}: {r}")
  else:e.log(f"error: plugin {a} did nothing");h=e.r.rank==0
 return h
class eR:
 def __init__(o,l,n,r):o.r=r;t=[(l.get_parameter(a),M(i,a),i)for i in n for a in i.c()];o.tensors=[h for(h,e,i)in t];o.names=[e for(h,e,i)in t];o.replicated=[h for(h,e,i)in t if i.reduction=='replicated'];o.g=[h for(h,e,i)in t if i.k];o.K=[e for(h,e,i)in t if i.k];c=[h for(h,e,i)in t if i.group=='matrix'];u=[e for(h,e,i)in t if i.group=='matrix'];ah(c,u,r);d=[(s,[h for(h,e,i)in t if i.group==s.name],[e for(h,e,i)in t if i.group==s.name])for s in aF];ai(d)
 @t.no_grad()
 def step(o,scalars,ledger):
  al();et(o.replicated,o.r);an(scalars,ledger);ad(scalars,ledger)
  for h in o.tensors:h.grad=None
def eS(e):
 if t.cuda.is_available():return t.compile(e,dynamic=False,fullgraph=True)
 return e
def eT():return{}
def eU(o,e,r):return am(o,r).contiguous()
def eV(e,o,h):o.mul_(h).add_(e);return e.add(o,alpha=h)
def eW(e):return max(1,e.shape[-2]/e.shape[-1])**.5
class Progress(e):step:e;n:e;j:e;x:e;W:e;m:e
class Scalars(e):m:e;S:e;momentum:e
def eX(l,i,h,o):r=h/o if o>0 else l/max(i,1);return Progress(l,i,h,o,r,1.)
class Context(e):
 ids:e;phases:e;training:e;l:e;memo:e;fields:e;q:e;C:e;ledger:e
 def i(o,i,h,e=1):
  if o.ledger is not None:o.ledger.count(i,h,e)
aA=1.1920929e-07
def w(h):return s.rms_norm(h,(h.size(-1),),eps=aA)
def eY(o):return o
def eZ(o,h,a,r,i,e):
 o=eY(o)
 if e.C is not None:e.C(a,r,h)
 return y(s.linear(h,o.to(h.dtype)),h,a,i,e)
def y(n,h,o,i,e):
 if e.q is not None and o in e.q.sites:n=n+e.q.delta(h,o,i)
 return n
def te(o,r,e):
 if'rope'not in e.memo:i,c,u=o.size(1),o.size(3),o.device;a=r**(-t.arange(0,c,2,dtype=t.float32,device=u)/c);l=t.outer(t.arange(i,dtype=t.float32,device=u),a);e.memo['rope']=l.cos(),l.sin()
 n,s=(m[None,:,None,:].to(o.dtype)for m in e.memo['rope']);h,d=o.chunk(2,-1);return t.cat((h*n+d*s,d*n-h*s),-1)
class GPT(A.Module):
 def __init__(o,n,device,e):super().__init__();o.records=n;N(o,n,device,e)
 def matrices(o):return u(dict(o.named_parameters()),o.records)
 def matrix(o,role,layer,position,ctx):return eY(ctx.l[f"blocks.{layer}.{role}.weight"])
 def u(o,h,a,r,i,e):return eZ(e.l[f"blocks.{r}.{a}.weight"],h,a,r,i,e)
 def stem(o,ids,ctx):h=s.embedding(ids,ctx.l['tok_emb.weight']);h=w(h);return h
 def forward(o,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):l=fields or{};n={};fields={**n,**l};e=Context(ids,phases,o.training,o.matrices(),{},fields,adapter,observe,ledger);h=o.stem(ids,e);h=w(tO(o,h,h,e));t=tP(h,e);c=tC(t,targets,reduction,e);return c
aB=20240520
aC=1
E=1024
def tt(l):
 l=i(l);e=sorted(r for r in l.parent.glob(l.name)if('_bytes_'in r.name)==('_bytes_'in l.name))
 if not e:raise ValueError(f"{l}: no shard matches, see DATA_PATH")
 return e
def ta(r):
 a,e=i(r).stat().st_size,q.fromfile(r,'<i4',3).tolist()
 if a<=E or e!=[aB,aC,(a-E)/2]:raise ValueError(f"{r}: {a} bytes and header {e}, wanted {E} + 2n bytes and header [{aB}, {aC}, n > 0]")
 return e[2]
def b(r,h):
 i=q.memmap(r,'<u2','r',E,ta(r))
 if i.max()>=h:raise ValueError(f"{r}: token {i.argmax()} is {i.max()}, wanted an id below {h}")
 return i
def to(l,e,h):
 i=q.concatenate([b(r,h)for r in tt(l)])
 if len(i)<=e:raise ValueError(f"{l}: {len(i)} tokens, wanted at least {e+1}")
 return t.from_numpy(i[:(len(i)-1)//e*e+1])
class ti:
 def __init__(o,h):o.log=h;o.begin_ms=.0;o.G=n.perf_counter()
 def F(o,h):o.G=n.perf_counter()-h/1e3
 def end(o,name,data):e=1e3*(n.perf_counter()-o.G);o.log(f"stage:{name} begin:{o.begin_ms:.0f}ms end:{e:.0f}ms data:{data}");o.begin_ms=e
class tn:
 def __init__(o,n,a,r,h,s):o.parameters=n;o.o=a;o.r=r;o.log=h;o.ledger=s;o.phases=();o.preparing='';o.a=ti(h);o.failed=False;o.training_data=not(a.score or a.export);o.D=0;o.f=1024;o.O=max(524288//(B*o.f),1);e=t.bfloat16 if r.device.type=='cuda'else t.float32;t._dynamo.config.recompile_limit=16;o.model=GPT(n,r.device,e);P(o.model,n,a.seed,s);o.forward=eS(o.model);l=i(a.w,'fineweb_val_*.bin');o.s=to(l,o.f,1024);tZ(a.R,a.w,1024,r.device,s);c=j.sha256(o.s.numpy().data).hexdigest();h(f"val_loader:shards pattern={l} tokens:{len(o.s)-1}\nval_sha256:{c}")
 def v(o,s):l=i(o.o.w,'fineweb_train_*.bin');r=o.r;at(l,r.rank,r.world_size,1024,s)
 def B(o):
  if not o.training_data:raise ValueError('training data are closed: training time is over')
  r=o.r;u=ao(524288//B,1024);h,n=(m.to(r.device,non_blocking=True)for m in u);return h,n,{}
 def U(o,r):o.log(f"error: {r}");o.failed=True
 def P(o):return()
 def validate(o):return eb(o,eg(len(o.s),o.f))[0]
 def X(o):o.model.requires_grad_(False)
 def ee(o):e=[a for i in o.parameters if i.J for a in i.c()];return[o.model.get_parameter(a).requires_grad_(True)for a in e]
 def Z(o,e):o.D+=1;return Y(f"work {o.D}",e,o.r)
def ts(a):
 e=[()]
 for s in a:e+=[(*r,s.name)for r in e]
 return e
def tr(e):
 l,s=e.model,e.ledger;h,n,r=e.B();h,n=h[:1,:512],n[:1,:512];r={a:d[:1,:512]for(a,d)in r.items()};o=();l(h,n,phases=o,fields=r,ledger=s).backward()
 for i in e.parameters:t=sum(l.get_parameter(a).grad is not None for a in i.c());s.count(i.L,'trained tensors',t)
 l.zero_grad()
def th(e,v):
 o=e.model.state_dict();n={a:h.clone()for(a,h)in o.items()};i,s=eR(e.model,e.parameters,e.r),m();e.v(s)
 for r in ts(()):
  for l in range(20):v(e,i,r,Scalars(1.,1.,.9),s);e.log(' '.join((f"warmup_step:{l+1}/20",*r)))
 for(a,h)in o.items():h.copy_(n[a])
 t.manual_seed(e.o.seed);e.v(e.ledger)
def tl(n,o):
 try:a,r,s=eh(),U(),m()
 except ValueError as i:print(f"error: {i}",file=d.stderr);d.exit(2)
 c=X(a.E,r)[0];h=eC(c,r.rank,a.export);t.manual_seed(a.seed);t.backends.cuda.matmul.allow_tf32=True
 if a.b==0:tc()
 eE(h,r.device);h('plugins:'+' '.join(aH));e=td(n,a,r,h,s,o)
 if e.training_data:
  tu(e);tr(e);th(e,v);l=tp(e)
  try:eH(e,l)
  except(OSError,ValueError)as i:h.A(str(i));d.exit(f"error: rank {r.rank}: {i}")
 u=not a.score and(eQ(e)or e.failed);V(r)
 if u:d.exit(1)
def td(n,a,r,h,s,o):
 try:
  e=tn(n,a,r,h,s);ea(e,o)
  if a.export:eJ(e)
  elif a.score:e.phases=();eO(e)
  else:e.v(m())
  return e
 except(OSError,ValueError)as i:
  h.A(str(i))
  if not a.export:V(r)
  d.exit(2)
def tc():l.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');t.use_deterministic_algorithms(True)
def tu(e):a,o=e.o,e.r.world_size;e.log(f"model_params:{sum(h.numel()for h in e.model.parameters())}\nworld_size:{o} grad_accum_steps:{B//o}\nseed:{a.seed}\ntrain_batch_tokens:524288 train_seq_len:1024 iterations:{a.n} warmup_steps:20 max_wallclock_seconds:{a.b:.3f}")
def v(session,optimizers,phases,scalars,ledger):
 o=B//session.r.world_size;l=.0
 for m in range(o):h,n,r=session.B();c=session.forward(h,n,phases=phases,fields=r)/o;l+=c.detach();c.backward()
 optimizers.step(scalars,ledger);return l
def tm(e,l,h,o):
 r=eX(l,e.o.n,h,o);d=Scalars(1.,1.,.0)
 for i in(ar,ak):d=i(r,d,e.ledger)
 return d
def tf(e):o=e.o.b;return 1e3*o
def tp(e):
 a=e.o;i=eR(e.model,e.parameters,e.r);af(i.g,i.K);o,l,h=tf(e),0,.0;aw()
 while True:
  n=l==a.n or 0<o<=h
  if n or a.I>0 and l%a.I==0:
   ay(e.ledger);r=e.validate();tg(e,l,f"val_loss:{r.val_loss:.4f} val_bpb:{r.p:.4f}",h)
   if n:break
   aw()
  d=tm(e,l,h,o);c=v(e,i,e.phases,d,e.ledger);l+=1;ap(i.g,l,d);h=Z(ab(l),e.r)
  if a.H>0 and(l<=10 or l%a.H==0):
   tg(e,l,f"train_loss:{c:.4f}",h)
   if c!=c:raise ValueError('the training loss is not a number')
 if l<a.n:e.log(f"stopping_early: wallclock_cap train_time:{h:.0f}ms step:{l}/{a.n}")
 s,u=t.cuda.max_memory_allocated()>>20,t.cuda.max_memory_reserved()>>20;e.log(f"peak memory allocated: {s} MiB reserved: {u} MiB");ag(i.g,e.ledger);e.a.F(h);e.a.end('train','train');return l
def tg(e,l,o,h):e.log(f"step:{l}/{e.o.n} {o} train_time:{h:.0f}ms step_avg:{h/max(l,1):.2f}ms")
def tw(h,i,a,e):e.i('additive_skips','skips');return h+e.l['skip_weights'][a].to(h.dtype)*i
def ty(l,a,r,i,e):o=l.u(a,'attn.c_q',r,i,e);h=l.u(a,'attn.c_k',r,i,e);d=l.u(a,'attn.c_v',r,i,e);o=tG(w(t.unflatten(o,2,(8,-1))),e);h=tG(w(t.unflatten(h,2,(4,-1))),e);d=t.unflatten(d,2,(4,-1));o,h=tD(o,h,r,e);n=tB(o,h,d,e);n=l.u(n.flatten(2),'attn.proj',r,i,e);return y(n,a,'attn',i,e)
def tb(i,a,r,l,e):
 o,h,d=i.transpose(1,2),a.transpose(1,2),r.transpose(1,2)
 if l<0 or l>=o.size(2)-1:n=o.size(1)!=h.size(1);return s.scaled_dot_product_attention(o,h,d,is_causal=True,enable_gqa=n).transpose(1,2)
 return tv(i,a,r,tk(o.size(2),l,o.device,e))
def tv(i,a,r,c):o,h,d=i.transpose(1,2),a.transpose(1,2),r.transpose(1,2);n=o.size(1)//h.size(1);h,d=h.repeat_interleave(n,1),d.repeat_interleave(n,1);return s.scaled_dot_product_attention(o,h,d,attn_mask=c).transpose(1,2)
def tk(i,l,device,e):
 h='window',l
 if h not in e.memo:o=t.arange(i,device=device);r=o[:,None]-o[None,:];e.memo[h]=(r>=0)&(r<=l)
 c=e.memo[h];return c
def tx(device):
 if device.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as e;return'flash-attn 3',e
 except ImportError:
  try:from flash_attn import flash_attn_func as e;return'flash-attn 2',e
  except ImportError:return tz(),None
def tj(e,i,a,r,l):n=e(i,a,r,causal=True,window_size=(l,0));return n[0]if isinstance(n,tuple)else n
def tq(o,i,a,r,l,e):
 if o is not None:return tj(o,i,a,r,l)
 return tb(i,a,r,l,e)
def tz():e=t.are_deterministic_algorithms_enabled();t.backends.cuda.enable_cudnn_sdp(not e);t.backends.cuda.enable_flash_sdp(e);t.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if e else'cuDNN'
def tA(e):global aE;a,aE=tx(e.r.device);return a
def tB(o,h,d,e):e.i('causal_attention','layers');return tq(aE,o,h,d,-1,e)
def tC(o,h,reduction,e):e.i('cross_entropy','losses');c=s.cross_entropy(o.flatten(0,1).float(),h.flatten(),reduction=reduction);return c.view_as(h)if reduction=='none'else c
def tD(i,a,r,e):e.i('qk_gain','layers');o=e.l[f"blocks.{r}.attn.q_gain"].to(i.dtype);return i*o[:,None],a
def tE(l,a,r,i,e):e.i('relu2','layers');o=s.relu(l.u(a,'mlp.fc',r,i,e)).square();return l.u(o,'mlp.proj',r,i,e)
def tF(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def tG(o,e):e.i('rope','rotations');return te(o,1e4,e)
def tH(h,n,r,e):o=e.l[f"blocks.{r}.resid_mix"].to(h.dtype);return o[0]*h+o[1]*n
def tI(h):e=w(h);return e
def tJ(l,a,r,i,e):o=ty(l,a,r,i,e);return e.l[f"blocks.{r}.attn_scale"].to(a.dtype)*o
def tK(l,a,r,i,e):o=y(tE(l,a,r,i,e),a,'mlp',i,e);return e.l[f"blocks.{r}.mlp_scale"].to(a.dtype)*o
def tL(l,o,n,r,i,e):h=tH(o[0],n,r,e);h=h+tJ(l,tI(h),r,i,e);return h+tK(l,tI(h),r,i,e),
def tM(o,i,a,r,e):
 if i is None:return o
 return tw(o[0],i,a,e),*o[1:]
def tN(l,o,n,e):
 d,s=tQ(e.phases);h='steps over 9 layers';e.i('unet_plan',h,len(d)+len(s));t=[]
 for(i,r)in enumerate(d):o=tL(l,o,n,r,i,e);t.append(o[0])
 for(a,r)in enumerate(s):o=tM(o,t.pop()if t else None,a,r,e);o=tL(l,o,n,r,len(d)+a,e)
 return o
def tO(l,o,h,e):e.i('sequential_wiring','walks');return tN(l,(o,),h,e)[0]
def tP(o,e):e.i('tied_head','heads');h=eZ(e.l['tok_emb.weight'],o,'head',0,0,e);return 3e1*t.tanh(h/3e1)
def tQ(a):o=tuple(range(9));return o[:len(o)//2],o[len(o)//2:]
def k(tensor,generator,ledger):e=tensor.shape[-1]**-.5;tensor.uniform_(-e,e,generator=generator);ledger.count('uniform_init','matrices')
def tR(r):o=io.BytesIO();e={d.intern(a):{d.intern(h):m for(h,m)in i.items()}for(a,i)in r.items()};t.save(e,o);return o.getvalue()
def tS(data):return t.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def tT(r,s):l=tR(r);s.d('torch_save',f"{len(r)} tensors in {len(l)} bytes");return l
def tU(data):return tS(data)
def tV(data,s):n=zlib.compress(data,9);s.d('zlib',f"{len(data)} -> {len(n)} bytes");return n
def tW(data,e):
 s=zlib.decompressobj();o=s.decompress(data,e)
 if not s.eof or s.unused_data:raise ValueError(f"wanted one whole stream of at most {e} bytes")
 return o
aD='\u2581'
def tX(r,h):
 try:e=SentencePieceProcessor(r)
 except(OSError,RuntimeError)as i:raise OSError(f"{r}: not a SentencePiece model")from i
 if len(e)>h:raise ValueError(f"{r} has {len(e)} pieces, wanted at most vocab_size={h}")
 if e.piece_to_id(aD)==e.unk_id():raise ValueError(f"{r}: U+2581 is not a piece of its own")
 return e
def tY(e,h):
 i=[(0,0,1)]*h
 for o in range(len(e)):
  if not(e.is_control(o)or e.is_unknown(o)or e.is_unused(o)):r=e.id_to_piece(o);a=r.startswith(aD);i[o]=1 if e.is_byte(o)else len(r.encode())-3*a,a,0
 return t.tensor(i).T
def tZ(o,a,h,device,s):
 global aO,aN,aI,aM
 if any(i(a).glob('*_bytes_*')):raise ValueError(f"{a}: it has byte side files, build with the plugin that reads them")
 e=tY(tX(o,h),h);aM,aN,aO=e.to(device);aI=s
def ae(o,e,h):aI.count('sentencepiece_bytes','targets',e.numel());a=aM[e]+(aN[e]&~aO[o]);return a
def at(l,n,o,h,s):
 global I,aS,aP,J,aR,aQ;I=tt(l)
 for r in I:ta(r)
 aP,aQ,aR,aS=n,o,h,s;J=b(I[0],h)
def aa(e):
 global J;i=[]
 while e>0:
  if not len(J):I.append(I.pop(0));J=b(I[0],aR)
  i.append(J[:e]);J=J[e:];e-=len(i[-1])
 return q.concatenate(i)
def ao(i,e):o=aa(aQ*(i+1)).reshape(aQ,-1)[aP];o=t.from_numpy(o.astype(int));aS.count('sequential_loader','batches');return o[:-1].reshape(-1,e),o[1:].reshape(-1,e)
def ai(d):global aJ;h=[{'params':l,'spec':s}for(s,l,e)in d];aJ=t.optim.AdamW(h,betas=(.9,.95),eps=1e-08,fused=True)
def an(d,s):
 for n in aJ.param_groups:n['lr']=n['spec'].lr*d.m;n['weight_decay']=n['spec'].weight_decay*d.S
 aJ.step();s.count('adam','steps')
def ar(progress,scalars,ledger):e=min(progress.step/500,1.);h=(1-e)*.85+e*.95;ledger.d('momentum_warmup',f"momentum {h:.4f} at step {progress.step}");return scalars._replace(momentum=h)
def ah(l,e,r):global aU,aK,aT,aV,K,L;K,aT,aV,L=l,e,None,r;aU=eT();aK=[t.zeros_like(h)for h in l]
def al():0
def ad(d,s):
 r=[h.numel()for h in K];n=t.zeros(sum(r),dtype=t.bfloat16,device=L.device);i=n.split(r)
 for a in range(L.rank,len(K),L.world_size):h,e=K[a],aT[a];o=eV(ee(h),aK[a],d.momentum);o=eU(o,e,5)*eW(h);i[a].copy_(o.flatten())
 W(n,L);l=aG*d.m
 for(h,e,m)in zip(K,aT,i,strict=True):o=m.view_as(h);h.add_(o,alpha=-l)
 s.count('muon','matrix updates',len(K));s.count('newton_schulz','matrices',len(K))
def ac(h,r,i):
 o=h.shape[-2]>h.shape[-1]
 if o:h=h.mT
 h=h/(h.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for m in range(r):e=h@h.mT;a=2.0315*e@e if i else 2.0315*(e@e);h=3.4445*h+(-4.775*e+a)@h
 return h.mT if o else h
def au(update,steps,scale_first):return ac(update.bfloat16(),steps,scale_first)
def am(o,r):
 global G
 if G is None:G=eS(au)
 return G(o,r,True)
def af(l,e):0
def ap(l,r,d):0
def ag(l,s):s.d('no_average','last weights')
def aw():global aL;aL=n.perf_counter()-F
def ay(s):
 global F
 if t.cuda.is_available():t.cuda.synchronize()
 F=n.perf_counter()-aL;s.d('wall_clock',f"{F:.3f} seconds")
def ab(l):return 1e3*(n.perf_counter()-aL)
def av(r,i):
 if i<=0:return 1.
 if r.x>0:o=i*(r.j/max(r.step,1));return min(max(r.x-r.j,.0)/max(o,1e-09),1.)
 e=r.n-r.step;return e/i if 0<e<=i else 1.
def ak(progress,scalars,ledger):e=av(progress,1200);ledger.d('warmdown_iters',f"multiplier {e:.4f} at step {progress.step}");return scalars._replace(m=scalars.m*e)
class x:
 name='int8'
 def __init__(o,e):o.half=e
 def encode(o,name,tensor,statistics,ledger):
  if tensor.numel()<=aq:ledger.count('int8','tensors kept');return{'kept':tensor.half()if o.half else tensor.float()}
  ledger.count('int8','tensors quantized');r,l=ax(tensor.float());return{'codes':r,'step':l}
 def decode(o,name,parts,kind):return es(parts,kind)
def ax(o):
 if o.ndim==2:e=t.quantile(o.abs(),.9999984,1);l=(e/127).clamp_min(1/127);r=l.half()
 else:e=t.quantile(o.abs().flatten(),.9999984);r=l=e/127 if e>0 else e+1
 e=h(e);return ei(o.clamp(-e,e),l,127),r
def aj():return Param('blocks.{}.attn.c_q.weight',(512,512),'matrix','attn',k,'layer_matrices',layers=9),Param('blocks.{}.attn.c_k.weight',(256,512),'matrix','attn',k,'layer_matrices',layers=9),Param('blocks.{}.attn.c_v.weight',(256,512),'matrix','attn',k,'layer_matrices',layers=9),Param('blocks.{}.attn.proj.weight',(512,512),'matrix','attn',Q,'layer_matrices',layers=9),Param('blocks.{}.mlp.fc.weight',(1024,512),'matrix','mlp',k,'layer_matrices',layers=9),Param('blocks.{}.mlp.proj.weight',(512,1024),'matrix','mlp',Q,'layer_matrices',layers=9),Param('skip_weights',(4,512),'scalar','control',r,'additive_skips'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',R,'qk_gain',layers=9),Param('blocks.{}.attn_scale',(512,),'scalar','control',r,'residual_scales',layers=9),Param('blocks.{}.mlp_scale',(512,),'scalar','control',r,'residual_scales',layers=9),Param('blocks.{}.resid_mix',(2,512),'scalar','control',tF,'residual_scales',layers=9),Param('tok_emb.weight',(1024,512),'embed','embed',S,'tied_head','activation',Q='head')
def o(session):session.preparing='causal_attention';eo(session,tA(session))
aE=None
F=.0
aF=Group('embed',.05),Group('scalar',.04)
aG=.04
G=None
aH='adam','additive_skips','causal_attention','chunked_eval','cross_entropy','int8','layer_matrices','momentum_warmup','muon','newton_schulz','no_average','qk_gain','relu2','residual_scales','rope','sentencepiece_bytes','sequential_loader','sequential_wiring','tied_head','torch_save','unet_plan','uniform_init','wall_clock','warmdown_iters','zlib'
H={'attn':x(True),'control':x(False),'embed':x(True),'mlp':x(True)}
if __name__=='__main__':tl(aj(),o)