import faulthandler,hashlib as B,io,lzma,numpy as C,os as l,signal,subprocess,sys as d,time as c,torch as t,torch.distributed as a,torch.nn.functional as h,traceback
from functools import partial as o
from pathlib import Path as n
from sentencepiece import SentencePieceProcessor
from torch import nn as D
from typing import Any,NamedTuple as e
def Q(n,a):
 if not n.n:return a,
 i=range(n.shape[0]//len(n.n));return tuple(e.format(r)for e in n.n for r in i)
def u(o):
 s=[]
 for n in o:
  if n.n:
   i=range(n.shape[0]//len(n.n))
   for(e,h)in zip(n.n,n.init,strict=True):s+=[(e.format(r),h,n)for r in i]
  else:s+=[(a,n.init,n)for a in n.u()]
 return s
def R(h,o,device,e):
 for n in o:
  s=e if n.dtype=='activation'else t.float32
  for a in n.u():
   *r,d=a.split('.');i=h
   for l in r:
    if l not in i._modules:i.add_module(l,D.ModuleList())
    i=i._modules[l]
   i.register_parameter(d,D.Parameter(t.empty(n.shape,dtype=s,device=device)))
def S(n,a):c=B.sha256(f"{n}:{a}".encode()).digest();return t.Generator().manual_seed(int.from_bytes(c[:7],'little'))
def T(l,o,n,s):
 i=m(l.state_dict(),o)
 for(a,h,z)in u(o):r=t.empty(i[a].shape);h(r,S(n,a),s);i[a].copy_(r)
def m(i,o):
 e=[]
 for n in o:
  for a in n.u():e+=i[a].unbind()if n.n else[i[a]]
 return{a:h for((a,z,z),h)in zip(u(o),e,strict=True)}
def r(tensor,generator,ledger):tensor.zero_()
def s(tensor,generator,ledger):tensor.fill_(1.)
def f(tensor,generator,ledger,value):tensor.fill_(value)
def U(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
E=8
class World(e):rank:e;world_size:e;et:e;device:e
def V():
 e=l.environ.get;h,i,r=int(e('RANK',0)),int(e('WORLD_SIZE',1)),int(e('LOCAL_RANK',0))
 if i<1 or E%i:raise ValueError(f"WORLD_SIZE is {i}, wanted a divisor of {E}, the micro-batches of a step")
 return h,i,r
def W():
 h,i,r=V();e,u='gloo',t.device('cpu')
 if t.cuda.is_available():e,u='nccl',t.device('cuda',r);t.cuda.set_device(u)
 if i>1:a.init_process_group(e)
 return World(h,i,r,u)
def X(r):
 if r.world_size>1:a.destroy_process_group()
def Y(h,r):
 if r.world_size>1:a.all_reduce(h)
 return h
def Z(value,r):
 e=[value]*r.world_size
 if r.world_size>1:a.all_gather_object(e,value)
 return e
def ee(key,e,r):
 if r.world_size==1:yield from range(e);return
 o=a.distributed_c10d._get_default_store();i=o.add(key,1)
 while i<=e:yield i-1;i=o.add(key,1)
def et(value,r):
 if r.world_size==1:return value
 e=t.tensor(value,dtype=float,device=r.device);a.all_reduce(e,a.ReduceOp.MAX);return e.item()
def ea(h):
 if h.grad is None:h.grad=t.zeros_like(h)
 return h.grad
def eo(e,r):
 o=[ea(h)for h in e]
 if r.world_size>1:
  n=t.cat([i.flatten()for i in o]);a.all_reduce(n);l=(n/r.world_size).split([i.numel()for i in o])
  for(i,c)in zip(o,l,strict=True):i.copy_(c.view_as(i))
def ei(o,n,r):
 if r.world_size>1:return a.reduce_scatter(o,list(n.chunk(r.world_size)),async_op=True)
 o.copy_(n);return
def en(n,o,r):
 if r.world_size>1:return a.all_gather(list(n.chunk(r.world_size)),o,async_op=True)
 n.copy_(o);return
def es(a):
 if a is not None:a.wait()
def er(e,i):
 a=''
 try:i(e)
 except(OSError,ValueError)as n:a=f"{e.preparing}: {n}"
 for(h,r)in enumerate(Z(a,e.r)):
  if r:raise ValueError(f"{r} (on rank {h})"if h else r)
def eh(e,r):
 if r is not None:e.log(f"prepared {e.preparing}: {r}")
class Param(e):
 name:e;shape:e;group:e;Q:e;init:e=None;P:e='';dtype:e='float32';layers:e=0;n:e=();reduction:e='replicated';V:e='';k:e=True;M:e=True;export:e='yes'
 def u(i):return[i.name.format(r)for r in range(i.layers)]or[i.name]
class Group(e):name:e;lr:e;weight_decay:e=.0
class p:
 def __init__(i):i.done={}
 def count(i,plugin,unit,number=1):i.done[plugin,unit]=i.done.get((plugin,unit),0)+number
 def f(i,l,r):i.done[l,'']=r
 def R(i,l):return', '.join(f"{e} {o}".strip()for((a,o),e)in i.done.items()if a==l and e)
aP=65536
def el(i,l,e):return(i/g(l)).round().clamp(-e,e).to(t.int8)
def g(l):return l[:,None]if l.ndim else l
def ed(r,l,e):return(r.float()*g(l).float()).to(e)
def ec(i,e):
 if i.ndim==2:l=(i.abs().amax(1)/31).clamp_min(1/31)
 else:l=i.abs().amax()/31;l=l if l>0 else l+1
 if e:l=l.half()
 return el(i,l.float(),31),l
def eu(l,e):
 if'kept'in l:return l['kept'].to(e)
 return ed(l['codes'],l['step'],e)
class Environment(e):w:e;export:e;l:e;b:e;F:e;score:e;seed:e;W:e;J:e;K:e
def w(a,e):
 r=l.environ.get(a,e)
 try:return int(r)
 except ValueError:raise ValueError(f"{a} is {r!r}, wanted a whole number like {e!r}")from None
def em(a,e):
 r=l.environ.get(a,e)
 try:return float(r)
 except ValueError:raise ValueError(f"{a} is {r!r}, wanted seconds like {e!r}")from None
def ef():e=l.environ.get;return Environment(e('DATA_PATH','./data/datasets/fineweb10B_sp1024'),'export'in d.argv,w('ITERATIONS',20000),em('MAX_WALLCLOCK_SECONDS',6e2),e('RUN_ID',str(c.time_ns())),'score'in d.argv,w('SEED',1337),e('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model'),w('TRAIN_LOG_EVERY',200),w('VAL_LOSS_EVERY',1000))
aQ=.6931471805599453
class Score(e):val_loss:e;p:e;h:e;q:e
def ep(n,e):
 if n.numel():raise ValueError(f"target {n[0]} of the validation stream {e}")
def eg(e,n):a=e.h[n].to(e.r.device,int);o=a[:,:-1].contiguous();return o,a[:,1:].contiguous(),ew(o)
def ew(a):return{}
def ey(e,i,C,n,s,E=None):
 z,u=n[:,1:],e.r.device;i[z[s]]=C;o,h,r=eg(e,n)
 with t.set_grad_enabled(E is not None and t.is_grad_enabled()):m=e.forward(o,h,phases=e.U(),fields=r,reduction='none',adapter=E)
 a,d=am(o,h,z.to(u)),s.to(u);l=m.detach().double()*d,d,a*d;return m,t.stack([c.sum().double()for c in l])
def eb(i,e,r):
 if r.world_size>1:i=i.to(r.device);a.all_reduce(i,e)
 return i.cpu()
def ev(e,i,d,u):
 ep(1+(i[1:]==0).nonzero().flatten(),'is not scored');r,o,h=Y(d,e.r).tolist()
 if o>len(i)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(r/o,r/aQ/h,int(o),1e3*(c.perf_counter()-u))
def ek(e,scored_at,learned_at=None):
 if e.r.rank==0:
  r=f"logs/{e.s.F}.scores.npz"
  if learned_at is None:C.savez_compressed(r,scored_at=scored_at.numpy())
  else:C.savez_compressed(r,scored_at=scored_at.numpy(),learned_at=learned_at.numpy())
class Span(e):start:e;end:e;Y:e
def ex(i,e):return[Span(r,r+e,0)for r in range(0,(i-1)//e*e,e)]
def ej(e,h,i):return e[len(e)*h//i:len(e)*(h+1)//i]
def eq(o,l,e):
 n=t.zeros(l,e+1,dtype=int);s=t.zeros(l,e,dtype=bool)
 for(a,(r,i,h))in enumerate(o):n[a,:i+1-r]=t.arange(r,i+1);s[a,h:i-r]=True
 return n,s
def y(e,o):
 u,r,l=c.perf_counter(),e.r,e.S;e.model.eval();o=ej(o,r.rank,r.world_size);i=t.zeros(len(e.h),dtype=t.int32);d=t.zeros(3,dtype=float,device=r.device)
 for(z,h)in enumerate(range(0,len(o),l),1):
  n,s=eq(o[h:h+l],l,e.c);d+=ey(e,i,z,n,s)[1]
  if z%100==0:e.log(f"eval: batch {z}")
 e.model.train();i=eb(i,a.ReduceOp.MAX,r);return ev(e,i,d,u),i
def ez(o):return{a:n.Q for(a,z,n)in u(o)if n.export!='drop'}
def eA(i,o,d,s):
 e,r=ez(o),{}
 for(a,t)in e.items():l=K[t].encode(a,i[a],d.get(a,{}),s);r[a]={n:c.cpu()for(n,c)in l.items()}
 return eB(r)
def eB(r):return r
def eC(r,s):return ao(ah(r,s),s)
def eD(data,i):
 e=2**20+sum(8*h.numel()+4096 for h in i.values())
 try:return al(ai(data,e))
 except Exception as n:raise ValueError(f"the artifact cannot be read: {n}")from n
def eE(a,l,t,e):return K[t].decode(a,l,e)
def eF(r,i,o):
 e=ez(o)
 if r.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(a,t)in e.items():
  try:h=eG(a,r[a],t,i[a].dtype)
  except Exception as n:raise ValueError(f"the artifact's {a} cannot be decoded: {n!r}")from n
  if h.shape!=i[a].shape:raise ValueError(f"{a}: shape {[*h.shape]}, wanted {[*i[a].shape]}")
  i[a].copy_(h)
def eG(a,l,t,e):return eE(a,l,t,e)
class eH:
 def __init__(i,c,h,e):
  i.rank,i.y=h,h==0;n('logs').mkdir(exist_ok=True);i.path=n('logs',c+'.txt')
  if i.y and not e:i.path.write_text('')
  d.excepthook=o(eI,i.path);faulthandler.register(signal.SIGTERM,i.path.open('a'),chain=True)
 def __call__(i,line):
  if i.y:
   print(line,flush=True)
   with i.path.open('a')as a:print(line,file=a)
 def z(i,r):
  if i.y:i(f"error: {r}")
  elif r not in i.path.read_text():
   with i.path.open('a')as a:print(f"rank {i.rank}: error: {r}",file=a)
def eI(path,kind,error,trace):
 with path.open('a')as a:traceback.print_exception(error,file=a)
 d.__excepthook__(kind,error,trace)
def eJ(h,device):
 c=B.sha256(n(d.argv[0]).read_bytes()).hexdigest();e=f"hardware:{l.uname().machine} CPU, {t.get_num_threads()} threads"
 if device.type=='cuda':e=subprocess.getoutput('nvidia-smi')
 h(f"Running Python {d.version}\nRunning PyTorch {t.__version__}\ncode_sha256:{c}\n{e}")
def eK():return len(n(d.argv[0]).read_bytes())
F='final_model.pt'
G='final_export.pt'
def b():return K['mlp'].name
def eL(a):return n(f"final_model.{b()}.ptz")
def eM(e,l):
 i=m(e.model.state_dict(),e.parameters)
 if e.r.rank==0:n(G).unlink(missing_ok=True);v(o(t.save,i),F)
 d=eQ(e)
 if e.r.rank==0:s=d,e.ledger.done,e.phases,e.failed,e.i.begin_ms;v(o(t.save,s),G)
 eN(e,i,d)
def eN(e,i,d):
 r=e.validate();e.i.end('diagnostic','val');e.log(f"diagnostic pre-quantization post-ema val_loss:{r.val_loss:.8f} val_bpb:{r.p:.8f} eval_time:{r.q:.0f}ms")
 if e.r.rank==0:eR(e,i,d)
 et(.0,e.r);eT(e)
def v(i,r):
 e=n('final_model.tmp')
 try:
  i(e)
  with e.open('rb')as a:l.fsync(a.fileno())
  e.replace(r)
 finally:e.unlink(missing_ok=True)
def eO(e):
 i=m(e.model.state_dict(),e.parameters);o,s=eP(F,e),eP(G,e);r=[a for a in i if a not in o or o[a].shape!=i[a].shape]
 if r:raise ValueError(f"{F} is of another model: {r[0]} is missing or has another shape")
 for(a,h)in i.items():h.copy_(o[a])
 d,l,e.phases,e.failed,e.i.begin_ms=s;e.ledger.done.update(l);e.i.G(e.i.begin_ms);eN(e,i,d)
def eP(r,e):
 try:return t.load(r,e.r.device,weights_only=True)
 except OSError:raise
 except Exception as n:raise ValueError(f"{r} is damaged: {str(n)[:99]!r}")from n
def eQ(e):d={};e.training_data=False;return d
def eR(e,i,d):r=eA(i,e.parameters,d,e.ledger);e.i.end('quantize','none');l=eC(r,e.ledger);e.i.end('compress','none');v(o(n.write_bytes,data=l),eL(None));a=f"{b()}+lzma";e.log(f"Serialized model: {n(F).stat().st_size} bytes\nCode size: {eK()} bytes\nSerialized model {a}: {len(l)} bytes\nTotal submission size {a}: {len(l)+eK()} bytes")
def eS(e):
 o,a=e.parameters,None;i=m(e.model.state_dict(),o)
 for h in i.values():h.zero_()
 l=eL(a).read_bytes();c=B.sha256(l).hexdigest()
 if e.s.score:
  s=''.join(r.read_text()for r in n('logs').glob('*.txt'))
  if'artifact_sha256:'in s and c not in s:raise ValueError('the artifact is not that of the logs in logs/')
 e.log('artifact_sha256:'+c);eF(eD(l,i),i,o)
def eT(e):a=b();eS(e);e.i.end('decode','none');r,i=y(e,ex(len(e.h),e.c));e.i.end('score','val');eU(e,f"{a}_lzma_roundtrip",r);r,i=y(e,aw(len(e.h),e.c));e.i.end('score','val');eU(e,f"{a}_sliding_window",r);ek(e,i);e.ledger.count('sliding_eval','targets',r.h)
def eU(e,a,r):e.log(f"final_{a} val_loss:{r.val_loss:.4f} val_bpb:{r.p:.4f} eval_time:{r.q:.0f}ms\nfinal_{a}_exact val_loss:{r.val_loss:.8f} val_bpb:{r.p:.8f}")
def eV(e):
 i=[];r=False
 for a in aY:
  o=e.ledger.R(a)
  if o and a not in i:e.log(f"receipt {a}: {o}")
  else:e.log(f"error: plugin {a} did nothing");r=e.r.rank==0
 return r
class eW:
 def __init__(i,l,o,r):i.r=r;c=[(l.get_parameter(a),Q(n,a),n)for n in o for a in n.u()];i.tensors=[h for(h,d,n)in c];i.names=[d for(h,d,n)in c];i.replicated=[h for(h,d,n)in c if n.reduction=='replicated'];i.g=[h for(h,d,n)in c if n.k];i.N=[d for(h,d,n)in c if n.k];t=[h for(h,d,n)in c if n.group=='matrix'];e=[d for(h,d,n)in c if n.group=='matrix'];aD(t,e,r);u=[(s,[h for(h,d,n)in c if n.group==s.name],[d for(h,d,n)in c if n.group==s.name])for s in aW];ay(u)
 @t.no_grad()
 def step(i,scalars,ledger):
  aj(i.tensors,i.names,ledger);aE();eo(i.replicated,i.r);ab(scalars,ledger);aF(scalars,ledger)
  for h in i.tensors:h.grad=None
def eX(e):
 if t.cuda.is_available():return t.compile(e,dynamic=False,fullgraph=True)
 return e
def eY():return{}
def eZ(r,d,i):return aC(r,i).contiguous()
def te(i,e,a):e.mul_(a).add_(i);return i.add(e,alpha=a)
def tt(e):return max(1,e.shape[-2]/e.shape[-1])**.5
class Progress(e):step:e;l:e;j:e;x:e;Z:e;m:e
class Scalars(e):m:e;L:e;momentum:e
def ta(l,a,o,i):r=o/i if i>0 else l/max(a,1);return Progress(l,a,o,i,r,1.)
class Context(e):
 ids:e;phases:e;training:e;o:e;memo:e;fields:e;E:e;B:e;ledger:e
 def a(i,l,o,e=1):
  if i.ledger is not None:i.ledger.count(l,o,e)
aR=1.1920929e-07
def k(o):return h.rms_norm(o,(o.size(-1),),eps=aR)
def to(o):return h.pad(o[:,:-1],(0,0)*(o.dim()-2)+(1,0))
def ti(i):return i
def tn(i,o,l,r,a,e):
 i=ti(i)
 if e.B is not None:e.B(l,r,o)
 return x(h.linear(o,i.to(o.dtype)),o,l,a,e)
def x(h,o,i,a,e):
 if e.E is not None and i in e.E.sites:h=h+e.E.delta(o,i,a)
 return h
def ts(i,r,e):
 if'rope'not in e.memo:a,c,u=i.size(1),i.size(3),i.device;l=r**(-t.arange(0,c,2,dtype=t.float32,device=u)/c);n=t.outer(t.arange(a,dtype=t.float32,device=u),l);e.memo['rope']=n.cos(),n.sin()
 h,d=(z[None,:,None,:].to(i.dtype)for z in e.memo['rope']);o,s=i.chunk(2,-1);return t.cat((o*h+s*d,s*h-o*d),-1)
class GPT(D.Module):
 def __init__(i,o,device,e):super().__init__();i.records=o;R(i,o,device,e)
 def matrices(i):return m(dict(i.named_parameters()),i.records)
 def matrix(i,role,layer,position,ctx):return ti(ctx.o[f"blocks.{layer}.{role}.weight"])
 def d(i,o,l,r,a,e):return tn(e.o[f"blocks.{r}.{l}.weight"],o,l,r,a,e)
 def stem(i,ids,ctx):o=h.embedding(ids,ctx.o['tok_emb.weight']);o=o+tz(ids,ctx);o=k(o);o=tY(o,ctx);return o
 def forward(i,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):n=fields or{};h={};fields={**h,**n};e=Context(ids,phases,i.training,i.matrices(),{},fields,adapter,observe,ledger);o=i.stem(ids,e);o=k(tX(i,o,o,e));t=tZ(o,e);c=tK(t,targets,reduction,e);return c
aS=20240520
aT=1
H=1024
def tr(l):
 l=n(l);e=sorted(r for r in l.parent.glob(l.name)if('_bytes_'in r.name)==('_bytes_'in l.name))
 if not e:raise ValueError(f"{l}: no shard matches, see DATA_PATH")
 return e
def th(r):
 h,e=n(r).stat().st_size,C.fromfile(r,'<i4',3).tolist()
 if h<=H or e!=[aS,aT,(h-H)/2]:raise ValueError(f"{r}: {h} bytes and header {e}, wanted {H} + 2n bytes and header [{aS}, {aT}, n > 0]")
 return e[2]
def j(r,a):
 o=C.memmap(r,'<u2','r',H,th(r))
 if o.max()>=a:raise ValueError(f"{r}: token {o.argmax()} is {o.max()}, wanted an id below {a}")
 return o
def tl(l,e,a):
 o=C.concatenate([j(r,a)for r in tr(l)])
 if len(o)<=e:raise ValueError(f"{l}: {len(o)} tokens, wanted at least {e+1}")
 return t.from_numpy(o[:(len(o)-1)//e*e+1])
class td:
 def __init__(i,h):i.log=h;i.begin_ms=.0;i.I=c.perf_counter()
 def G(i,o):i.I=c.perf_counter()-o/1e3
 def end(i,name,data):e=1e3*(c.perf_counter()-i.I);i.log(f"stage:{name} begin:{i.begin_ms:.0f}ms end:{e:.0f}ms data:{data}");i.begin_ms=e
class tc:
 def __init__(i,o,a,r,h,s):i.parameters=o;i.s=a;i.r=r;i.log=h;i.ledger=s;i.phases=();i.preparing='';i.i=td(h);i.failed=False;i.training_data=not(a.score or a.export);i.C=0;i.c=2048;i.S=max(524288//(E*i.c),1);e=t.bfloat16 if r.device.type=='cuda'else t.float32;t._dynamo.config.recompile_limit=16;i.model=GPT(o,r.device,e);T(i.model,o,a.seed,s);i.forward=eX(i.model);l=n(a.w,'fineweb_val_*.bin');i.h=tl(l,i.c,1024);au(a.W,a.w,1024,r.device,s);c=B.sha256(i.h.numpy().data).hexdigest();h(f"val_loader:shards pattern={l} tokens:{len(i.h)-1}\nval_sha256:{c}")
 def v(i,s):l=n(i.s.w,'fineweb_train_*.bin');r=i.r;af(l,r.rank,r.world_size,1024,s)
 def A(i):
  if not i.training_data:raise ValueError('training data are closed: training time is over')
  r=i.r;z=ag(786432//E,2048);o,h=(c.to(r.device,non_blocking=True)for c in z);return o,h,{}
 def X(i,r):i.log(f"error: {r}");i.failed=True
 def U(i):return()
 def validate(i):return y(i,ex(len(i.h),i.c))[0]
 def ee(i):i.model.requires_grad_(False)
 def eo(i):d=[a for n in i.parameters if n.M for a in n.u()];return[i.model.get_parameter(a).requires_grad_(True)for a in d]
 def ea(i,e):i.C+=1;return ee(f"work {i.C}",e,i.r)
def tu(l):
 e=[()]
 for s in l:e+=[(*r,s.name)for r in e]
 return e
def tm(e):
 l,s=e.model,e.ledger;o,h,r=e.A();o,h=o[:1,:512],h[:1,:512];r={a:c[:1,:512]for(a,c)in r.items()};i=();l(o,h,phases=i,fields=r,ledger=s).backward()
 for n in e.parameters:t=sum(l.get_parameter(a).grad is not None for a in n.u());s.count(n.P,'trained tensors',t)
 l.zero_grad()
def tf(e,q):
 i=e.model.state_dict();o={a:h.clone()for(a,h)in i.items()};d,n=eW(e.model,e.parameters,e.r),p();e.v(n)
 for r in tu(()):
  for l in range(20):q(e,d,r,Scalars(1.,1.,.9),n);e.log(' '.join((f"warmup_step:{l+1}/20",*r)))
 for(a,h)in i.items():h.copy_(o[a])
 t.manual_seed(e.s.seed);e.v(e.ledger)
def tp(o,i):
 try:a,r,s=ef(),W(),p()
 except ValueError as n:print(f"error: {n}",file=d.stderr);d.exit(2)
 c=Z(a.F,r)[0];h=eH(c,r.rank,a.export);t.manual_seed(a.seed);t.backends.cuda.matmul.allow_tf32=True
 if a.b==0:tw()
 eJ(h,r.device);h('plugins:'+' '.join(aY));e=tg(o,a,r,h,s,i)
 if e.training_data:
  ty(e);tm(e);tf(e,q);l=tk(e)
  try:eM(e,l)
  except(OSError,ValueError)as n:h.z(str(n));d.exit(f"error: rank {r.rank}: {n}")
 u=not a.score and(eV(e)or e.failed);X(r)
 if u:d.exit(1)
def tg(o,a,r,h,s,i):
 try:
  e=tc(o,a,r,h,s);er(e,i)
  if a.export:eO(e)
  elif a.score:e.phases=();eT(e)
  else:e.v(p())
  return e
 except(OSError,ValueError)as n:
  h.z(str(n))
  if not a.export:X(r)
  d.exit(2)
def tw():l.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');t.use_deterministic_algorithms(True)
def ty(e):a,i=e.s,e.r.world_size;e.log(f"model_params:{sum(h.numel()for h in e.model.parameters())}\nworld_size:{i} grad_accum_steps:{E//i}\nseed:{a.seed}\ntrain_batch_tokens:786432 train_seq_len:2048 iterations:{a.l} warmup_steps:20 max_wallclock_seconds:{a.b:.3f}")
def q(session,optimizers,phases,scalars,ledger):
 i=E//session.r.world_size;a=.0
 for z in range(i):o,h,r=session.A();c=session.forward(o,h,phases=phases,fields=r)/i;a+=c.detach();c.backward()
 optimizers.step(scalars,ledger);return a
def tb(e,l,o,i):
 r=ta(l,e.s.l,o,i);n=Scalars(1.,1.,.0)
 for a in(aq,aL):n=a(r,n,e.ledger)
 return n
def tv(e):i=e.s.b;return 1e3*i
def tk(e):
 a=e.s;d=eW(e.model,e.parameters,e.r);av(d.g,d.N);i,l,o=tv(e),0,.0;aH()
 while True:
  h=l==a.l or 0<i<=o
  if h or a.K>0 and l%a.K==0:
   aI(e.ledger);r=e.validate();tx(e,l,f"val_loss:{r.val_loss:.4f} val_bpb:{r.p:.4f}",o)
   if h:break
   aH()
  n=tb(e,l,o,i);c=q(e,d,e.phases,n,e.ledger);l+=1;ak(d.g,l,n);o=et(aJ(l),e.r)
  if a.J>0 and(l<=10 or l%a.J==0):
   tx(e,l,f"train_loss:{c:.4f}",o)
   if c!=c:raise ValueError('the training loss is not a number')
 if l<a.l:e.log(f"stopping_early: wallclock_cap train_time:{o:.0f}ms step:{l}/{a.l}")
 s,u=t.cuda.max_memory_allocated()>>20,t.cuda.max_memory_reserved()>>20;e.log(f"peak memory allocated: {s} MiB reserved: {u} MiB");ax(d.g,e.ledger);e.i.G(o);e.i.end('train','train');return l
def tx(e,l,i,o):e.log(f"step:{l}/{e.s.l} {i} train_time:{o:.0f}ms step_avg:{o/max(l,1):.2f}ms")
def tj(o,a,n,e):e.a('additive_skips','skips');return o+e.o['skip_weights'][n].to(o.dtype)*a
def tq(i):e=t.bitwise_xor(36313*i[:,1:],27191*i[:,:-1])%(aZ-1);return h.pad(e,(1,0),value=aZ-1)
def tz(i,e):e.a('bigram_hash','lookups');l=h.embedding(tq(i),e.o['bigram.embed.weight']);r=h.linear(l,e.o['bigram.proj.weight'].to(l.dtype));return r*e.o['bigram.scale'].to(l.dtype)
def tA(l,i,r,a,e):o=l.d(i,'attn.c_q',r,a,e);n=l.d(i,'attn.c_k',r,a,e);s=l.d(i,'attn.c_v',r,a,e);s=at(s,r,e);o=tN(k(t.unflatten(o,2,(8,-1))),e);n=tN(k(t.unflatten(n,2,(4,-1))),e);s=t.unflatten(s,2,(4,-1));o,n=tO(o,n,r,e);h=tJ(o,n,s,e);h=aa(h,s,r,e);h=l.d(h.flatten(2),'attn.proj',r,a,e);return x(h,i,'attn',a,e)
def tB(i,a,l,r,e):
 o,n,s=i.transpose(1,2),a.transpose(1,2),l.transpose(1,2)
 if r<0 or r>=o.size(2)-1:d=o.size(1)!=n.size(1);return h.scaled_dot_product_attention(o,n,s,is_causal=True,enable_gqa=d).transpose(1,2)
 return tC(i,a,l,tD(o.size(2),r,o.device,e))
def tC(i,a,l,d):o,n,s=i.transpose(1,2),a.transpose(1,2),l.transpose(1,2);r=o.size(1)//n.size(1);n,s=n.repeat_interleave(r,1),s.repeat_interleave(r,1);return h.scaled_dot_product_attention(o,n,s,attn_mask=d).transpose(1,2)
def tD(a,r,device,e):
 n='window',r
 if n not in e.memo:i=t.arange(a,device=device);o=i[:,None]-i[None,:];e.memo[n]=(o>=0)&(o<=r)
 d=e.memo[n];return d
def tE(device):
 if device.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as e;return'flash-attn 3',e
 except ImportError:
  try:from flash_attn import flash_attn_func as e;return'flash-attn 2',e
  except ImportError:return tH(),None
def tF(e,i,a,l,r):h=e(i,a,l,causal=True,window_size=(r,0));return h[0]if isinstance(h,tuple)else h
def tG(o,i,a,l,r,e):
 if o is not None:return tF(o,i,a,l,r)
 return tB(i,a,l,r,e)
def tH():e=t.are_deterministic_algorithms_enabled();t.backends.cuda.enable_cudnn_sdp(not e);t.backends.cuda.enable_flash_sdp(e);t.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if e else'cuDNN'
def tI(e):global aV;a,aV=tE(e.r.device);return a
def tJ(o,n,s,e):e.a('causal_attention','layers');return tG(aV,o,n,s,-1,e)
def tK(i,r,reduction,e):e.a('cross_entropy','losses');c=h.cross_entropy(i.flatten(0,1).float(),r.flatten(),reduction=reduction);return c.view_as(r)if reduction=='none'else c
def tL(l,i,r,a,e):e.a('leaky_relu2','layers');o=h.leaky_relu(l.d(i,'mlp.fc',r,a,e),.5).square();return l.d(o,'mlp.proj',r,a,e)
def tM(i,r,e):e.a('ln_scale','branches');a=(r+1)**-.5;return i*a
def z(tensor,generator,ledger):
 if min(tensor.shape)>=64:D.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:e=tensor.shape[-1]**-.5;tensor.uniform_(-e,e,generator=generator)
def tN(i,e):e.a('partial_rope','rotations');r=ts(i[...,:16],1e4,e);return t.cat((r,i[...,16:]),-1)
def tO(i,a,r,e):e.a('qk_gain','layers');o=e.o[f"blocks.{r}.attn.q_gain"].to(i.dtype);return i*o[:,None],a
def tP(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def tQ(o,h,r,e):i=e.o[f"blocks.{r}.resid_mix"].to(o.dtype);return i[0]*o+i[1]*h
def tR(o,r,e):i=k(o);i=tM(i,r,e);return i
def tS(l,i,r,a,e):o=tA(l,i,r,a,e);return e.o[f"blocks.{r}.attn_scale"].to(i.dtype)*o
def tT(l,i,r,a,e):o=x(tL(l,i,r,a,e),i,'mlp',a,e);return e.o[f"blocks.{r}.mlp_scale"].to(i.dtype)*o
def tU(l,i,h,r,a,e):o=tQ(i[0],h,r,e);o=o+tS(l,tR(o,r,e),r,a,e);return o+tT(l,tR(o,r,e),r,a,e),
def tV(i,a,n,r,e):
 if a is None:return i
 return tj(i[0],a,n,e),*i[1:]
def tW(l,i,h,e):
 d,t=ae(e.phases);o='steps over 11 layers';e.a('unet_plan',o,len(d)+len(t));s=[]
 for(a,r)in enumerate(d):i=tU(l,i,h,r,a,e);s.append(i[0])
 for(n,r)in enumerate(t):i=tV(i,s.pop()if s else None,n,r,e);i=tU(l,i,h,r,len(d)+n,e)
 return i
def tX(l,i,r,e):e.a('sequential_wiring','walks');return tW(l,(i,),r,e)[0]
def tY(i,e):e.a('smear_gate','blends');r=t.sigmoid(e.o['smear.gate']).to(i.dtype);return(1-r)*i+r*to(i)
def tZ(i,e):e.a('tied_head','heads');r=tn(e.o['tok_emb.weight'],i,'head',0,0,e);return 3e1*t.tanh(r/3e1)
def ae(l):i=tuple(range(11));return i[:len(i)//2],i[len(i)//2:]
def at(i,r,e):
 if r not in oe:return i
 e.a('value_embedding','layers')
 if've'not in e.memo:l=h.embedding(e.ids,e.o['ve_shared.embed.weight']);l=h.linear(l,e.o['ve_shared.proj.weight'].to(l.dtype));e.memo['ve']=l*e.o['ve_shared.scale'].to(l.dtype)
 a=e.o[f"ve_layer_scales.{oe.index(r)}"];o=e.memo['ve'];return i+a.to(i.dtype)*o
def aa(i,l,r,e):
 if r<0:return i
 e.a('xsa','layers');d=t.unflatten(i,2,(l.size(2),-1));a=h.normalize(l,dim=-1)[:,:,:,None,:];return(d-(d*a).sum(-1,keepdim=True)*a).flatten(2,3)
def ao(data,s):n=lzma.compress(data,preset=9);s.f('lzma',f"{len(data)} -> {len(n)} bytes");return n
def ai(data,e):
 t=lzma.LZMADecompressor(memlimit=2**27);i=t.decompress(data,e)
 if not t.eof or t.unused_data:raise ValueError(f"wanted one whole stream of at most {e} bytes")
 return i
def an(r):e=io.BytesIO();i={d.intern(a):{d.intern(n):c for(n,c)in l.items()}for(a,l)in r.items()};t.save(i,e);return e.getvalue()
def ar(data):return t.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def ah(r,s):l=an(r);s.f('torch_save',f"{len(r)} tensors in {len(l)} bytes");return l
def al(data):return ar(data)
aU='\u2581'
def ad(r,a):
 try:e=SentencePieceProcessor(r)
 except(OSError,RuntimeError)as n:raise OSError(f"{r}: not a SentencePiece model")from n
 if len(e)>a:raise ValueError(f"{r} has {len(e)} pieces, wanted at most vocab_size={a}")
 if e.piece_to_id(aU)==e.unk_id():raise ValueError(f"{r}: U+2581 is not a piece of its own")
 return e
def ac(e,a):
 l=[(0,0,1)]*a
 for i in range(len(e)):
  if not(e.is_control(i)or e.is_unknown(i)or e.is_unused(i)):r=e.id_to_piece(i);o=r.startswith(aU);l[i]=1 if e.is_byte(i)else len(r.encode())-3*o,o,0
 return t.tensor(l).T
def au(i,o,a,device,s):
 global ol,oh,ot,os
 if any(n(o).glob('*_bytes_*')):raise ValueError(f"{o}: it has byte side files, build with the plugin that reads them")
 e=ac(ad(i,a),a);os,oh,ol=e.to(device);ot=s
def am(i,e,r):ot.count('sentencepiece_bytes','targets',e.numel());a=os[e]+(oh[e]&~ol[i]);return a
def af(l,h,i,a,s):
 global L,om,od,M,ou,oc;L=tr(l)
 for r in L:th(r)
 od,oc,ou,om=h,i,a,s;M=j(L[0],a)
def ap(e):
 global M;l=[]
 while e>0:
  if not len(M):L.append(L.pop(0));M=j(L[0],ou)
  l.append(M[:e]);M=M[e:];e-=len(l[-1])
 return C.concatenate(l)
def ag(o,e):i=ap(oc*(o+1)).reshape(oc,-1)[od];i=t.from_numpy(i.astype(int));om.count('sequential_loader','batches');return i[:-1].reshape(-1,e),i[1:].reshape(-1,e)
def aw(i,e):r,z=min(64,e),i-1;a=range(0,max(z-(e-r),1),r);return[Span(h,min(h+e,z),0 if h==0 else e-r)for h in a]
def ay(u):global oa;o=[{'params':e,'spec':s}for(s,e,d)in u];oa=t.optim.AdamW(o,betas=(.9,.95),eps=1e-08,fused=True)
def ab(n,s):
 for r in oa.param_groups:r['lr']=r['spec'].lr*n.m;r['weight_decay']=r['spec'].weight_decay*n.L
 oa.step();s.count('adam','steps')
@t.no_grad()
def av(e,d):global N,oo;oo=0;N=[h.detach().float().clone()for h in e]
@t.no_grad()
def ak(e,i,n):global oo;oo+=1;t._foreach_mul_(N,.997);t._foreach_add_(N,[h.detach().float()for h in e],alpha=1-.997)
@t.no_grad()
def ax(e,s):
 for(h,i)in zip(e,N,strict=True):h.copy_(i)
 s.count('ema','updates',oo)
def aj(e,d,s):D.utils.clip_grad_norm_(e,.3);s.count('grad_clip','steps')
def aq(progress,scalars,ledger):e=min(progress.step/1500,1.);a=(1-e)*.92+e*.99;ledger.f('momentum_warmup',f"momentum {a:.4f} at step {progress.step}");return scalars._replace(momentum=a)
def az(h,r,d,o,n,s):h.mul_(1-o*.04*n.L);s.count('muon_weight_decay','tensors decayed')
def aA(o,i,a):
 r=o.shape[-2]>o.shape[-1]
 if r:o=o.mT
 o=o/(o.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for z in range(i):e=o@o.mT;l=2.0315*e@e if a else 2.0315*(e@e);o=3.4445*o+(-4.775*e+l)@o
 return o.mT if r else o
def aB(update,steps,scale_first):return aA(update.bfloat16(),steps,scale_first)
def aC(r,i):
 global J
 if J is None:J=eX(aB)
 return J(r,i,False)
class MuonBank(e):weight:e;names:e;O:e;full:e;H:e;momentum:e;D:e
def aD(e,d,r):
 global O,op,of,P;of,P,op=None,r,eY();O=[];E=t.bfloat16 if r.device.type=='cuda'else t.float32
 for(i,s)in sorted(zip(e,d,strict=True),key=lambda pair:-pair[0].numel()):*z,l,k=i.shape;u=-(-len(s)//r.world_size);c=(*s,*['']*u*r.world_size)[u*r.rank:][:u];m=[(h,l,k)for h in(u*r.world_size,u)];n,o=[t.zeros(C,dtype=E,device=r.device)for C in m];D,a=[t.zeros(C,dtype=t.bfloat16,device=r.device)for C in m];O.append(MuonBank(i,s,c,n,o,a,D))
def aE():
 global oi;oi=[]
 for e in O:i=ea(e.weight).bfloat16();e.full.flatten()[:i.numel()].copy_(i.flatten());oi.append(ei(e.H,e.full,P))
def aF(n,s):
 o=[]
 for(e,a)in zip(O,oi,strict=True):
  es(a);h=P.world_size;i=(e.H/h).bfloat16();r=te(i,e.momentum,n.momentum);r=eZ(r,e.O,5);o.append((e,en(e.D,r,P),r))
  if len(o)>1:aG(*o.pop(0),n,s)
 for l in o:aG(*l,n,s)
def aG(e,a,r,n,s):es(a);i,o=e.weight,aX*n.m;l=e.D.flatten()[:i.numel()].view_as(i);az(i,l,e.names,o,n,s);i.add_(l,alpha=-o*tt(i));s.count('parallel_muon','bank updates');s.count('newton_schulz','matrices',e.D.size(0))
def aH():global on;on=c.perf_counter()-I
def aI(s):
 global I
 if t.cuda.is_available():t.cuda.synchronize()
 I=c.perf_counter()-on;s.f('wall_clock',f"{I:.3f} seconds")
def aJ(l):return 1e3*(c.perf_counter()-on)
def aK(r,a):
 if a<=0:return 1.
 if r.x>0:i=a*(r.j/max(r.step,1));return min(max(r.x-r.j,.0)/max(i,1e-09),1.)
 e=r.l-r.step;return e/a if 0<e<=a else 1.
def aL(progress,scalars,ledger):e=aK(progress,4000);ledger.f('warmdown_iters',f"multiplier {e:.4f} at step {progress.step}");return scalars._replace(m=scalars.m*e)
class aM:
 name='int6'
 def encode(i,name,tensor,statistics,ledger):
  if tensor.numel()<=aP:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');r,l=ec(tensor.float(),True);return{'codes':r,'step':l}
 def decode(i,name,parts,kind):return eu(parts,kind)
class A:
 name='int8'
 def __init__(i,e):i.half=e
 def encode(i,name,tensor,statistics,ledger):
  if tensor.numel()<=aP:ledger.count('int8','tensors kept');return{'kept':tensor.half()if i.half else tensor.float()}
  ledger.count('int8','tensors quantized');r,l=aN(tensor.float());return{'codes':r,'step':l}
 def decode(i,name,parts,kind):return eu(parts,kind)
def aN(i):
 if i.ndim==2:e=t.quantile(i.abs(),.9999984,1);l=(e/127).clamp_min(1/127);r=l.half()
 else:e=t.quantile(i.abs().flatten(),.9999984);r=l=e/127 if e>0 else e+1
 e=g(e);return el(i.clamp(-e,e),l,127),r
def aO():return Param('qo_bank',(22,512,512),'matrix','attn',(z,r),'banks',n=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(z,z),'banks',n=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(z,),'banks',n=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(r,),'banks',n=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',s,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',r,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',z,'bigram_hash'),Param('bigram.scale',(),'scalar','control',o(f,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',o(f,value=1.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',s,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',s,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',tP,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',r,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',o(U,std=.005),'tied_head','activation',V='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',o(U,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',o(f,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',s,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',z,'value_embedding')
def i(session):session.preparing='causal_attention';eh(session,tI(session))
aV=None
I=.0
aW=Group('embed',.035,.04),Group('scalar',.025,.04)
aX=.025
J=None
aY='adam','additive_skips','banks','bigram_hash','causal_attention','cross_entropy','ema','grad_clip','int6','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ortho_init','parallel_muon','partial_rope','qk_gain','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
aZ=3072
K={'attn':aM(),'aux':A(True),'control':A(False),'embed':A(True),'mlp':aM()}
oe=9,10
if __name__=='__main__':tp(aO(),i)