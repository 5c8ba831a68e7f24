import faulthandler,hashlib as C,io,lzma,numpy as D,os as o,signal,subprocess,sys as d,time as n,torch as t,torch.distributed as s,torch.nn.functional as c,traceback
from functools import partial as a
from pathlib import Path as i
from sentencepiece import SentencePieceProcessor
from torch import nn as E
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import Any,NamedTuple as e
def T(i,a):
 if not i.n:return a,
 o=range(i.shape[0]//len(i.n));return tuple(e.format(r)for e in i.n for r in o)
def m(n):
 l=[]
 for i in n:
  if i.n:
   o=range(i.shape[0]//len(i.n))
   for(e,h)in zip(i.n,i.init,strict=True):l+=[(e.format(r),h,i)for r in o]
  else:l+=[(a,i.init,i)for a in i.f()]
 return l
def U(r,n,device,d):
 for i in n:
  s=d if i.dtype=='activation'else t.float32
  for a in i.f():
   *l,h=a.split('.');e=r
   for o in l:
    if o not in e._modules:e.add_module(o,E.ModuleList())
    e=e._modules[o]
   e.register_parameter(h,E.Parameter(t.empty(i.shape,dtype=s,device=device)))
def V(o,a):c=C.sha256(f"{o}:{a}".encode()).digest();return t.Generator().manual_seed(int.from_bytes(c[:7],'little'))
def W(l,n,o,s):
 r=f(l.state_dict(),n)
 for(a,h,A)in m(n):i=t.empty(r[a].shape);h(i,V(o,a),s);r[a].copy_(i)
def f(r,n):
 e=[]
 for i in n:
  for a in i.f():e+=r[a].unbind()if i.n else[r[a]]
 return{a:h for((a,A,A),h)in zip(m(n),e,strict=True)}
def r(tensor,generator,ledger):tensor.zero_()
def h(tensor,generator,ledger):tensor.fill_(1.)
def p(tensor,generator,ledger,value):tensor.fill_(value)
def X(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
F=8
class World(e):rank:e;world_size:e;eo:e;device:e
def Y():
 e=o.environ.get;h,r,a=int(e('RANK',0)),int(e('WORLD_SIZE',1)),int(e('LOCAL_RANK',0))
 if r<1 or F%r:raise ValueError(f"WORLD_SIZE is {r}, wanted a divisor of {F}, the micro-batches of a step")
 return h,r,a
def Z():
 h,r,a=Y();e,u='gloo',t.device('cpu')
 if t.cuda.is_available():e,u='nccl',t.device('cuda',a);t.cuda.set_device(u)
 if r>1:s.init_process_group(e)
 return World(h,r,a,u)
def ee(r):
 if r.world_size>1:s.destroy_process_group()
def et(h,r):
 if r.world_size>1:s.all_reduce(h)
 return h
def ea(value,r):
 e=[value]*r.world_size
 if r.world_size>1:s.all_gather_object(e,value)
 return e
def eo(key,a,r):
 if r.world_size==1:yield from range(a);return
 i=s.distributed_c10d._get_default_store();o=i.add(key,1)
 while o<=a:yield o-1;o=i.add(key,1)
def ei(value,r):
 if r.world_size==1:return value
 e=t.tensor(value,dtype=float,device=r.device);s.all_reduce(e,s.ReduceOp.MAX);return e.item()
def en(h):
 if h.grad is None:h.grad=t.zeros_like(h)
 return h.grad
def es(e,r):
 a=[en(h)for h in e]
 if r.world_size>1:
  l=t.cat([o.flatten()for o in a]);s.all_reduce(l);i=(l/r.world_size).split([o.numel()for o in a])
  for(o,n)in zip(a,i,strict=True):o.copy_(n.view_as(o))
def er(a,i,r):
 if r.world_size>1:return s.reduce_scatter(a,list(i.chunk(r.world_size)),async_op=True)
 a.copy_(i);return
def eh(i,a,r):
 if r.world_size>1:return s.all_gather(list(i.chunk(r.world_size)),a,async_op=True)
 i.copy_(a);return
def el(r):
 if r is not None:r.wait()
def ed(e,l):
 a=''
 try:l(e)
 except(OSError,ValueError)as i:a=f"{e.preparing}: {i}"
 for(h,r)in enumerate(ea(a,e.r)):
  if r:raise ValueError(f"{r} (on rank {h})"if h else r)
def ec(e,r):
 if r is not None:e.log(f"prepared {e.preparing}: {r}")
class Param(e):
 name:e;shape:e;group:e;R:e;init:e=None;p:e='';dtype:e='float32';layers:e=0;n:e=();reduction:e='replicated';X:e='';j:e=True;N:e=True;export:e='yes'
 def f(e):return[e.name.format(r)for r in range(e.layers)]or[e.name]
class Group(e):name:e;lr:e;weight_decay:e=.0
class Phase(e):name:e;start:e;V:e=True;p:e=''
class g:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def u(e,c,r):e.done[c,'']=r
 def S(e,c):return', '.join(f"{r} {o}".strip()for((a,o),r)in e.done.items()if a==c and r)
aW=65536
def eu(h,o,e):return(h/w(o)).round().clamp(-e,e).to(t.int8)
def w(o):return o[:,None]if o.ndim else o
def em(r,o,h):return(r.float()*w(o).float()).to(h)
def ef(h,a):
 if h.ndim==2:o=(h.abs().amax(1)/31).clamp_min(1/31)
 else:o=h.abs().amax()/31;o=o if o>0 else o+1
 if a:o=o.half()
 return eu(h,o.float(),31),o
def ep(i,h):
 if'kept'in i:return i['kept'].to(h)
 return em(i['codes'],i['step'],h)
class Environment(e):y:e;export:e;l:e;v:e;G:e;score:e;seed:e;Y:e;K:e;L:e
def y(a,e):
 r=o.environ.get(a,e)
 try:return int(r)
 except ValueError:raise ValueError(f"{a} is {r!r}, wanted a whole number like {e!r}")from None
def eg(a,e):
 r=o.environ.get(a,e)
 try:return float(r)
 except ValueError:raise ValueError(f"{a} is {r!r}, wanted seconds like {e!r}")from None
def ew():e=o.environ.get;return Environment(e('DATA_PATH','./data/datasets/fineweb10B_sp1024'),'export'in d.argv,y('ITERATIONS',20000),eg('MAX_WALLCLOCK_SECONDS',6e2),e('RUN_ID',str(n.time_ns())),'score'in d.argv,y('SEED',1337),e('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model'),y('TRAIN_LOG_EVERY',200),y('VAL_LOSS_EVERY',1000))
aX=.6931471805599453
class Score(e):val_loss:e;g:e;h:e;A:e
def ey(l,e):
 if l.numel():raise ValueError(f"target {l[0]} of the validation stream {e}")
def eb(e,l):i=e.h[l].to(e.r.device,int);o=i[:,:-1].contiguous();return o,i[:,1:].contiguous(),ev(o)
def ev(i):return{}
def ek(e,a,A,l,c,D=None):
 d,u=l[:,1:],e.r.device;a[d[c]]=A;o,h,r=eb(e,l)
 with t.set_grad_enabled(D is not None and t.is_grad_enabled()):F=e.forward(o,h,phases=e.W(),fields=r,reduction='none',adapter=D)
 s,m=ay(o,h,d.to(u)),c.to(u);i=F.detach().double()*m,m,s*m;return F,t.stack([n.sum().double()for n in i])
def ex(a,e,r):
 if r.world_size>1:a=a.to(r.device);s.all_reduce(a,e)
 return a.cpu()
def ej(e,a,i,h):
 ey(1+(a[1:]==0).nonzero().flatten(),'is not scored');o,r,s=et(i,e.r).tolist()
 if r>len(a)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(o/r,o/aX/s,int(r),1e3*(n.perf_counter()-h))
def eq(e,scored_at,learned_at=None):
 if e.r.rank==0:
  l=f"logs/{e.s.G}.scores.npz"
  if learned_at is None:D.savez_compressed(l,scored_at=scored_at.numpy())
  else:D.savez_compressed(l,scored_at=scored_at.numpy(),learned_at=learned_at.numpy())
class Span(e):start:e;end:e;ee:e
def ez(a,e):return[Span(i,i+e,0)for i in range(0,(a-1)//e*e,e)]
def eA(e,h,r):return e[len(e)*h//r:len(e)*(h+1)//r]
def eB(d,o,e):
 l=t.zeros(o,e+1,dtype=int);c=t.zeros(o,e,dtype=bool)
 for(r,(i,a,h))in enumerate(d):l[r,:a+1-i]=t.arange(i,a+1);c[r,h:a-i]=True
 return l,c
def b(e,d):
 h,r,o=n.perf_counter(),e.r,e.U;e.model.eval();d=eA(d,r.rank,r.world_size);a=t.zeros(len(e.h),dtype=t.int32);i=t.zeros(3,dtype=float,device=r.device)
 for(u,A)in enumerate(range(0,len(d),o),1):
  l,c=eB(d[A:A+o],o,e.c);i+=ek(e,a,u,l,c)[1]
  if u%100==0:e.log(f"eval: batch {u}")
 e.model.train();a=ex(a,s.ReduceOp.MAX,r);return ej(e,a,i,h),a
def eC(n):return{a:i.R for(a,A,i)in m(n)if i.export!='drop'}
def eD(r,n,c,s):
 t,o=eC(n),{}
 for(a,l)in t.items():i=N[l].encode(a,r[a],c.get(a,{}),s);o[a]={e:d.cpu()for(e,d)in i.items()}
 return eE(o)
def eE(o):return o
def eF(o,s):return al(am(o,s),s)
def eG(data,r):
 e=2**20+sum(8*h.numel()+4096 for h in r.values())
 try:return af(ad(data,e))
 except Exception as i:raise ValueError(f"the artifact cannot be read: {i}")from i
def eH(a,i,l,h):return N[l].decode(a,i,h)
def eI(o,r,n):
 t=eC(n)
 if o.keys()!=t.keys():raise ValueError("the artifact's tensors are not the model's")
 for(a,l)in t.items():
  try:h=eJ(a,o[a],l,r[a].dtype)
  except Exception as i:raise ValueError(f"the artifact's {a} cannot be decoded: {i!r}")from i
  if h.shape!=r[a].shape:raise ValueError(f"{a}: shape {[*h.shape]}, wanted {[*r[a].shape]}")
  r[a].copy_(h)
def eJ(a,i,l,h):return eH(a,i,l,h)
class eK:
 def __init__(e,c,h,r):
  e.rank,e.b=h,h==0;i('logs').mkdir(exist_ok=True);e.path=i('logs',c+'.txt')
  if e.b and not r:e.path.write_text('')
  d.excepthook=a(eL,e.path);faulthandler.register(signal.SIGTERM,e.path.open('a'),chain=True)
 def __call__(e,line):
  if e.b:
   print(line,flush=True)
   with e.path.open('a')as a:print(line,file=a)
 def B(e,r):
  if e.b:e(f"error: {r}")
  elif r not in e.path.read_text():
   with e.path.open('a')as a:print(f"rank {e.rank}: error: {r}",file=a)
def eL(path,kind,error,trace):
 with path.open('a')as a:traceback.print_exception(error,file=a)
 d.__excepthook__(kind,error,trace)
def eM(h,device):
 c=C.sha256(i(d.argv[0]).read_bytes()).hexdigest();e=f"hardware:{o.uname().machine} CPU, {t.get_num_threads()} threads"
 if device.type=='cuda':e=subprocess.getoutput('nvidia-smi')
 h(f"Running Python {d.version}\nRunning PyTorch {t.__version__}\ncode_sha256:{c}\n{e}")
def eN():return len(i(d.argv[0]).read_bytes())
G='final_model.pt'
H='final_export.pt'
def v():return N['mlp'].name
def eO(a):return i(f"final_model.{v()}.ptz")
def eP(e,o):
 r=f(e.model.state_dict(),e.parameters)
 if e.r.rank==0:i(H).unlink(missing_ok=True);k(a(t.save,r),G)
 c=eT(e)
 if e.r.rank==0:l=c,e.ledger.done,e.phases,e.failed,e.i.begin_ms;k(a(t.save,l),H)
 eQ(e,r,c)
def eQ(e,r,c):
 i=e.validate();e.i.end('diagnostic','val');e.log(f"diagnostic pre-quantization post-ema val_loss:{i.val_loss:.8f} val_bpb:{i.g:.8f} eval_time:{i.A:.0f}ms")
 if e.r.rank==0:eU(e,r,c)
 ei(.0,e.r);eW(e)
def k(r,l):
 e=i('final_model.tmp')
 try:
  r(e)
  with e.open('rb')as a:o.fsync(a.fileno())
  e.replace(l)
 finally:e.unlink(missing_ok=True)
def eR(e):
 r=f(e.model.state_dict(),e.parameters);o,l=eS(G,e),eS(H,e);i=[a for a in r if a not in o or o[a].shape!=r[a].shape]
 if i:raise ValueError(f"{G} is of another model: {i[0]} is missing or has another shape")
 for(a,h)in r.items():h.copy_(o[a])
 c,t,e.phases,e.failed,e.i.begin_ms=l;e.ledger.done.update(t);e.i.H(e.i.begin_ms);eQ(e,r,c)
def eS(l,e):
 try:return t.load(l,e.r.device,weights_only=True)
 except OSError:raise
 except Exception as i:raise ValueError(f"{l} is damaged: {str(i)[:99]!r}")from i
def eT(e):c={};e.training_data=False;return c
def eU(e,r,c):o=eD(r,e.parameters,c,e.ledger);e.i.end('quantize','none');d=eF(o,e.ledger);e.i.end('compress','none');k(a(i.write_bytes,data=d),eO(None));h=f"{v()}+lzma";e.log(f"Serialized model: {i(G).stat().st_size} bytes\nCode size: {eN()} bytes\nSerialized model {h}: {len(d)} bytes\nTotal submission size {h}: {len(d)+eN()} bytes")
def eV(e):
 n,a=e.parameters,None;r=f(e.model.state_dict(),n)
 for h in r.values():h.zero_()
 d=eO(a).read_bytes();c=C.sha256(d).hexdigest()
 if e.s.score:
  o=''.join(l.read_text()for l in i('logs').glob('*.txt'))
  if'artifact_sha256:'in o and c not in o:raise ValueError('the artifact is not that of the logs in logs/')
 e.log('artifact_sha256:'+c);eI(eG(d,r),r,n)
def eW(e):r=v();eV(e);e.i.end('decode','none');i,a=b(e,ez(len(e.h),e.c));e.i.end('score','val');eX(e,f"{r}_lzma_roundtrip",i);i,a=b(e,ax(len(e.h),e.c));e.i.end('score','val');eX(e,f"{r}_sliding_window",i);eq(e,a);e.ledger.count('sliding_eval','targets',i.h)
def eX(e,h,i):e.log(f"final_{h} val_loss:{i.val_loss:.4f} val_bpb:{i.g:.4f} eval_time:{i.A:.0f}ms\nfinal_{h}_exact val_loss:{i.val_loss:.8f} val_bpb:{i.g:.8f}")
def eY(e):
 r=[c.p for c in u if c.name not in e.phases];o=False
 for a in os:
  i=e.ledger.S(a)
  if i and a not in r:e.log(f"receipt {a}: {i}")
  else:e.log(f"error: plugin {a} did nothing");o=e.r.rank==0
 return o
class eZ:
 def __init__(e,l,n,r):e.r=r;u=[(l.get_parameter(a),T(i,a),i)for i in n for a in i.f()];e.tensors=[h for(h,d,i)in u];e.names=[d for(h,d,i)in u];e.replicated=[h for(h,d,i)in u if i.reduction=='replicated'];e.w=[h for(h,d,i)in u if i.j];e.O=[d for(h,d,i)in u if i.j];t=[h for(h,d,i)in u if i.group=='matrix'];s=[d for(h,d,i)in u if i.group=='matrix'];aI(t,s,r);o=[(c,[h for(h,d,i)in u if i.group==c.name],[d for(h,d,i)in u if i.group==c.name])for c in oi];aj(o)
 @t.no_grad()
 def step(e,scalars,ledger):
  aC(e.tensors,e.names,ledger);aJ();es(e.replicated,e.r);aq(scalars,ledger);aK(scalars,ledger)
  for h in e.tensors:h.grad=None
def te(e):
 if t.cuda.is_available():return t.compile(e,dynamic=False,fullgraph=True)
 return e
def tt():return{}
def ta(a,d,r):return aH(a,r).contiguous()
def to(o,r,c):r.mul_(c).add_(o);return o.add(r,alpha=c)
def ti(e):return max(1,e.shape[-2]/e.shape[-1])**.5
class Progress(e):step:e;l:e;z:e;q:e;et:e;d:e
class Scalars(e):d:e;M:e;momentum:e
def tn(o,a,r,h):i=r/h if h>0 else o/max(a,1);return Progress(o,a,r,h,i,1.)
class Context(e):
 ids:e;phases:e;training:e;o:e;memo:e;fields:e;D:e;E:e;ledger:e
 def a(e,c,o,r=1):
  if e.ledger is not None:e.ledger.count(c,o,r)
aY=1.1920929e-07
def x(o):return c.rms_norm(o,(o.size(-1),),eps=aY)
def ts(o):return c.pad(o[:,:-1],(0,0)*(o.dim()-2)+(1,0))
def tr(h,l,a):h=aR(h,l,a);return h
def th(h,o,l,r,i,a):
 h=tr(h,l,a)
 if a.E is not None:a.E(l,r,o)
 return j(c.linear(o,h.to(o.dtype)),o,l,i,a)
def j(h,o,e,i,a):
 if a.D is not None and e in a.D.sites:h=h+a.D.delta(o,e,i)
 return h
def tl(e,i,a):
 if'rope'not in a.memo:r,d,u=e.size(1),e.size(3),e.device;h=i**(-t.arange(0,d,2,dtype=t.float32,device=u)/d);l=t.outer(t.arange(r,dtype=t.float32,device=u),h);a.memo['rope']=l.cos(),l.sin()
 c,s=(A[None,:,None,:].to(e.dtype)for A in a.memo['rope']);o,n=e.chunk(2,-1);return t.cat((o*c+n*s,n*c-o*s),-1)
class GPT(E.Module):
 def __init__(e,n,device,d):super().__init__();e.records=n;U(e,n,device,d)
 def matrices(e):return f(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tr(ctx.o[f"blocks.{layer}.{role}.weight"],role,ctx)
 def m(e,o,l,r,i,a):return th(a.o[f"blocks.{r}.{l}.weight"],o,l,r,i,a)
 def stem(e,ids,ctx):o=c.embedding(ids,ctx.o['tok_emb.weight']);o=o+tC(ids,ctx);o=x(o);o=tW(o,ctx);return o
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):h=fields or{};l={};fields={**l,**h};a=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);o=e.stem(ids,a);o=x(tV(e,o,o,a));c=ai(o,a);n=tD(c,targets,reduction,a);return n
aZ=20240520
oe=1
I=1024
def td(o):
 o=i(o);e=sorted(l for l in o.parent.glob(o.name)if('_bytes_'in l.name)==('_bytes_'in o.name))
 if not e:raise ValueError(f"{o}: no shard matches, see DATA_PATH")
 return e
def tc(l):
 s,e=i(l).stat().st_size,D.fromfile(l,'<i4',3).tolist()
 if s<=I or e!=[aZ,oe,(s-I)/2]:raise ValueError(f"{l}: {s} bytes and header {e}, wanted {I} + 2n bytes and header [{aZ}, {oe}, n > 0]")
 return e[2]
def q(l,a):
 r=D.memmap(l,'<u2','r',I,tc(l))
 if r.max()>=a:raise ValueError(f"{l}: token {r.argmax()} is {r.max()}, wanted an id below {a}")
 return r
def tu(o,e,a):
 r=D.concatenate([q(l,a)for l in td(o)])
 if len(r)<=e:raise ValueError(f"{o}: {len(r)} tokens, wanted at least {e+1}")
 return t.from_numpy(r[:(len(r)-1)//e*e+1])
class tm:
 def __init__(e,h):e.log=h;e.begin_ms=.0;e.J=n.perf_counter()
 def H(e,r):e.J=n.perf_counter()-r/1e3
 def end(e,name,data):r=1e3*(n.perf_counter()-e.J);e.log(f"stage:{name} begin:{e.begin_ms:.0f}ms end:{r:.0f}ms data:{data}");e.begin_ms=r
class tf:
 def __init__(e,n,a,r,h,s):e.parameters=n;e.s=a;e.r=r;e.log=h;e.ledger=s;e.phases=();e.preparing='';e.i=tm(h);e.failed=False;e.training_data=not(a.score or a.export);e.F=0;e.c=4096;e.U=max(524288//(F*e.c),1);d=t.bfloat16 if r.device.type=='cuda'else t.float32;t._dynamo.config.recompile_limit=16;e.model=GPT(n,r.device,d);W(e.model,n,a.seed,s);e.forward=te(e.model);o=i(a.y,'fineweb_val_*.bin');e.h=tu(o,e.c,1024);aw(a.Y,a.y,1024,r.device,s);c=C.sha256(e.h.numpy().data).hexdigest();h(f"val_loader:shards pattern={o} tokens:{len(e.h)-1}\nval_sha256:{c}")
 def k(e,s):o=i(e.s.y,'fineweb_train_*.bin');r=e.r;ab(o,r.rank,r.world_size,1024,s)
 def C(e):
  if not e.training_data:raise ValueError('training data are closed: training time is over')
  r=e.r;u=ak(786432//F,4096);o,h=(n.to(r.device,non_blocking=True)for n in u);return o,h,{}
 def Z(e,r):e.log(f"error: {r}");e.failed=True
 def W(e):return tuple(c.name for c in u if c.V and c.name in e.phases)
 def validate(e):return b(e,ez(len(e.h),e.c))[0]
 def ea(e):e.model.requires_grad_(False)
 def en(e):d=[a for i in e.parameters if i.N for a in i.f()];return[e.model.get_parameter(a).requires_grad_(True)for a in d]
 def ei(e,a):e.F+=1;return eo(f"work {e.F}",a,e.r)
def tp(t):
 e=[()]
 for c in t:e+=[(*i,c.name)for i in e]
 return e
def tg(e):
 l,s=e.model,e.ledger;o,h,r=e.C();o,h=o[:1,:512],h[:1,:512];r={a:d[:1,:512]for(a,d)in r.items()};t=tuple(c.name for c in u);l(o,h,phases=t,fields=r,ledger=s).backward()
 for i in e.parameters:n=sum(l.get_parameter(a).grad is not None for a in i.f());s.count(i.p,'trained tensors',n)
 l.zero_grad()
def tw(e,z):
 r=e.model.state_dict();l={a:h.clone()for(a,h)in r.items()};c,s=eZ(e.model,e.parameters,e.r),g();e.k(s)
 for i in tp(u):
  for o in range(20):z(e,c,i,Scalars(1.,1.,.9),s);e.log(' '.join((f"warmup_step:{o+1}/20",*i)))
 for(a,h)in r.items():h.copy_(l[a])
 t.manual_seed(e.s.seed);e.k(e.ledger)
def ty(n,l):
 try:a,r,s=ew(),Z(),g()
 except ValueError as i:print(f"error: {i}",file=d.stderr);d.exit(2)
 c=ea(a.G,r)[0];h=eK(c,r.rank,a.export);t.manual_seed(a.seed);t.backends.cuda.matmul.allow_tf32=True
 if a.v==0:tv()
 eM(h,r.device);h('plugins:'+' '.join(os));e=tb(n,a,r,h,s,l)
 if e.training_data:
  tk(e);tg(e);tw(e,z);o=tq(e)
  try:eP(e,o)
  except(OSError,ValueError)as i:h.B(str(i));d.exit(f"error: rank {r.rank}: {i}")
 u=not a.score and(eY(e)or e.failed);ee(r)
 if u:d.exit(1)
def tb(n,a,r,h,s,l):
 try:
  e=tf(n,a,r,h,s);ed(e,l)
  if a.export:eR(e)
  elif a.score:e.phases=tuple(c.name for c in u);eW(e)
  else:e.k(g())
  return e
 except(OSError,ValueError)as i:
  h.B(str(i))
  if not a.export:ee(r)
  d.exit(2)
def tv():o.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');t.use_deterministic_algorithms(True)
def tk(e):a,r=e.s,e.r.world_size;e.log(f"model_params:{sum(h.numel()for h in e.model.parameters())}\nworld_size:{r} grad_accum_steps:{F//r}\nseed:{a.seed}\ntrain_batch_tokens:786432 train_seq_len:4096 iterations:{a.l} warmup_steps:20 max_wallclock_seconds:{a.v:.3f}")
def z(session,optimizers,phases,scalars,ledger):
 a=F//session.r.world_size;i=.0
 for A in range(a):o,h,r=session.C();n=session.forward(o,h,phases=phases,fields=r)/a;i+=n.detach();n.backward()
 optimizers.step(scalars,ledger);return i
def tx(e,o,r,h):
 a=tn(o,e.s.l,r,h);l=Scalars(1.,1.,.0)
 for t in(aD,aQ):l=t(a,l,e.ledger)
 for c in u:
  if c.name not in e.phases and c.start(a._replace(d=l.d)):e.phases=tuple(i.name for i in u if i.name in e.phases or i is c);e.ledger.u(c.p,f"on at step {o}");e.log(f"phase {c.name} on at step:{o} train_time:{r:.0f}ms")
 return l
def tj(e):a=e.s.v;return 1e3*a
def tq(e):
 a=e.s;c=eZ(e.model,e.parameters,e.r);az(c.w,c.O);h,o,r=tj(e),0,.0;aM()
 while True:
  s=o==a.l or 0<h<=r
  if s or a.L>0 and o%a.L==0:
   aN(e.ledger);i=e.validate();tz(e,o,f"val_loss:{i.val_loss:.4f} val_bpb:{i.g:.4f}",r)
   if s:break
   aM()
  l=tx(e,o,r,h);n=z(e,c,e.phases,l,e.ledger);o+=1;aA(c.w,o,l);r=ei(aO(o),e.r)
  if a.K>0 and(o<=10 or o%a.K==0):
   tz(e,o,f"train_loss:{n:.4f}",r)
   if n!=n:raise ValueError('the training loss is not a number')
 if o<a.l:e.log(f"stopping_early: wallclock_cap train_time:{r:.0f}ms step:{o}/{a.l}")
 d,u=t.cuda.max_memory_allocated()>>20,t.cuda.max_memory_reserved()>>20;e.log(f"peak memory allocated: {d} MiB reserved: {u} MiB");aB(c.w,e.ledger);e.i.H(r);e.i.end('train','train');return o
def tz(e,o,a,r):e.log(f"step:{o}/{e.s.l} {a} train_time:{r:.0f}ms step_avg:{r/max(o,1):.2f}ms")
def tA(o,i,h,a):a.a('additive_skips','skips');return o+a.o['skip_weights'][h].to(o.dtype)*i
def tB(e):a=t.bitwise_xor(36313*e[:,1:],27191*e[:,:-1])%(ol-1);return c.pad(a,(1,0),value=ol-1)
def tC(e,a):a.a('bigram_hash','lookups');o=c.embedding(tB(e),a.o['bigram.embed.weight']);r=c.linear(o,a.o['bigram.proj.weight'].to(o.dtype));return r*a.o['bigram.scale'].to(o.dtype)
def tD(e,r,reduction,a):a.a('cross_entropy','losses');n=c.cross_entropy(e.flatten(0,1).float(),r.flatten(),reduction=reduction);return n.view_as(r)if reduction=='none'else n
def tE(l,o,r,i,a):a.a('leaky_relu2','layers');e=c.leaky_relu(l.m(o,'mlp.fc',r,i,a),.5).square();return l.m(e,'mlp.proj',r,i,a)
def tF(o,r,a):a.a('ln_scale','branches');e=(r+1)**-.5;return o*e
def A(tensor,generator,ledger):
 if min(tensor.shape)>=64:E.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:e=tensor.shape[-1]**-.5;tensor.uniform_(-e,e,generator=generator)
def tG(e,a):a.a('partial_rope','rotations');r=tl(e[...,:16],1e4,a);return t.cat((r,e[...,16:]),-1)
class tH:
 def __init__(e):e.offset=16;e.P=6
 def __call__(e,model,q_BTHC,k_BTKC,n_BTD,layer,position,ctx):
  if layer<e.P:return q_BTHC,k_BTKC
  ctx.a('pko','layers');h=k_BTKC[...,16:];c=t.cat((h[:,:1],h[:,:-1]),dim=1)
  if'starts'in ctx.fields:c=t.where(ctx.fields['starts'][:,:,None,None],h,c)
  return q_BTHC,t.cat((k_BTKC[...,:16],c),dim=-1)
def tI(model,q_BTHC,k_BTKC,n_BTD,layer,position,ctx):ctx.a('qk_gain','layers');e=ctx.o[f"blocks.{layer}.attn.q_gain"].to(q_BTHC.dtype);return q_BTHC*e[:,None],k_BTKC
def tJ(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def tK(l,o,r,i,a):
 e=l.m(o,'attn.c_q',r,i,a);s=l.m(o,'attn.c_k',r,i,a);n=l.m(o,'attn.c_v',r,i,a);n=ar(n,r,a);e=tG(x(t.unflatten(e,2,(8,-1))),a);s=tG(x(t.unflatten(s,2,(4,-1))),a);n=t.unflatten(n,2,(4,-1))
 for d in(oh,tI):e,s=d(l,e,s,o,r,i,a)
 h=ao(e,s,n,r,a);h=ah(h,n,r,a);h=l.m(h.flatten(2),'attn.proj',r,i,a);return j(h,o,'attn',i,a)
def tL(d,u,i,o,a):
 e,s,n=d.transpose(1,2),u.transpose(1,2),i.transpose(1,2)
 if o<0 or o>=e.size(2)-1:l=e.size(1)!=s.size(1);return c.scaled_dot_product_attention(e,s,n,is_causal=True,enable_gqa=l).transpose(1,2)
 return tM(d,u,i,tN(e.size(2),o,e.device,a))
def tM(d,u,i,m):e,s,n=d.transpose(1,2),u.transpose(1,2),i.transpose(1,2);r=e.size(1)//s.size(1);s,n=s.repeat_interleave(r,1),n.repeat_interleave(r,1);return c.scaled_dot_product_attention(e,s,n,attn_mask=m).transpose(1,2)
def tN(r,o,device,a):
 e='window',o
 if e not in a.memo:i=t.arange(r,device=device);h=i[:,None]-i[None,:];a.memo[e]=(h>=0)&(h<=o)
 m=a.memo[e];return m
def tO(o,c,r,a):e=a.o[f"blocks.{r}.resid_mix"].to(o.dtype);return e[0]*o+e[1]*c
def tP(o,r,a):e=x(o);e=tF(e,r,a);return e
def tQ(l,o,r,i,a):e=tK(l,o,r,i,a);return a.o[f"blocks.{r}.attn_scale"].to(o.dtype)*e
def tR(l,o,r,i,a):e=j(tE(l,o,r,i,a),o,'mlp',i,a);return a.o[f"blocks.{r}.mlp_scale"].to(o.dtype)*e
def tS(l,e,c,r,i,a):o=tO(e[0],c,r,a);o=o+tQ(l,tP(o,r,a),r,i,a);return o+tR(l,tP(o,r,a),r,i,a),
def tT(e,i,h,r,a):
 if i is None:return e
 return tA(e[0],i,h,a),*e[1:]
def tU(l,e,c,a):
 n,s=an(a.phases);o='steps over 11 layers';a.a('unet_plan',o,len(n)+len(s));t=[]
 for(i,r)in enumerate(n):e=tS(l,e,c,r,i,a);t.append(e[0])
 for(h,r)in enumerate(s):e=tT(e,t.pop()if t else None,h,r,a);e=tS(l,e,c,r,len(n)+h,a)
 return e
def tV(l,e,r,a):a.a('sequential_wiring','walks');return tU(l,(e,),r,a)[0]
def tW(e,a):a.a('smear_gate','blends');r=t.sigmoid(a.o['smear.gate']).to(e.dtype);return(1-r)*e+r*ts(e)
def tX(device):
 if device.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as e;return'flash-attn 3',e
 except ImportError:
  try:from flash_attn import flash_attn_func as e;return'flash-attn 2',e
  except ImportError:return ae(),None
def tY(e,d,u,i,o):h=e(d,u,i,causal=True,window_size=(o,0));return h[0]if isinstance(h,tuple)else h
def tZ(e,d,u,i,o,a):
 if e is not None:return tY(e,d,u,i,o)
 return tL(d,u,i,o,a)
def ae():e=t.are_deterministic_algorithms_enabled();t.backends.cuda.enable_cudnn_sdp(not e);t.backends.cuda.enable_flash_sdp(e);t.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if e else'cuDNN'
def at(o):
 def a(batch,head,query,key):return(query>=key)&(query-key<=o)
 return a
def aa(e):
 global J;u=e.r.device;a,J=tX(u)
 if u.type!='cuda'or J is not None:return a
 for r in(4096,e.c):o=at(oa);K[r]=create_block_mask(o,None,None,r,r,device=u)
 return f"flex_attention (windows), {a} (full)"
def ao(e,s,n,r,a):
 i=r<6;a.a('swa','windowed layers'if i else'full layers');o=oa if i else-1
 if i and a.ledger is None and e.size(1)in K:l=e.size(2)!=s.size(2);c=e.transpose(1,2),s.transpose(1,2),n.transpose(1,2);h=flex_attention(*c,block_mask=K[e.size(1)],enable_gqa=l);return h.transpose(1,2)
 return tZ(J,e,s,n,o,a)
def ai(e,a):a.a('tied_head','heads');r=th(a.o['tok_emb.weight'],e,'head',0,0,a);return 3e1*t.tanh(r/3e1)
def an(t):o=tuple(range(11));return o[:len(o)//2],o[len(o)//2:]
def ar(i,r,a):
 if r not in od:return i
 a.a('value_embedding','layers')
 if've'not in a.memo:o=c.embedding(a.ids,a.o['ve_shared.embed.weight']);o=c.linear(o,a.o['ve_shared.proj.weight'].to(o.dtype));a.memo['ve']=o*a.o['ve_shared.scale'].to(o.dtype)
 e=a.o[f"ve_layer_scales.{od.index(r)}"];h=a.memo['ve'];return i+e.to(i.dtype)*h
def ah(e,i,r,a):
 if r<oo:return e
 a.a('xsa','layers');l=t.unflatten(e,2,(i.size(2),-1));o=c.normalize(i,dim=-1)[:,:,:,None,:];return(l-(l*o).sum(-1,keepdim=True)*o).flatten(2,3)
def al(data,s):l=lzma.compress(data,preset=9);s.u('lzma',f"{len(data)} -> {len(l)} bytes");return l
def ad(data,e):
 s=lzma.LZMADecompressor(memlimit=2**27);a=s.decompress(data,e)
 if not s.eof or s.unused_data:raise ValueError(f"wanted one whole stream of at most {e} bytes")
 return a
def ac(o):r=io.BytesIO();h={d.intern(a):{d.intern(e):n for(e,n)in i.items()}for(a,i)in o.items()};t.save(h,r);return r.getvalue()
def au(data):return t.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def am(o,s):d=ac(o);s.u('torch_save',f"{len(o)} tensors in {len(d)} bytes");return d
def af(data):return au(data)
ot='\u2581'
def ap(l,a):
 try:e=SentencePieceProcessor(l)
 except(OSError,RuntimeError)as i:raise OSError(f"{l}: not a SentencePiece model")from i
 if len(e)>a:raise ValueError(f"{l} has {len(e)} pieces, wanted at most vocab_size={a}")
 if e.piece_to_id(ot)==e.unk_id():raise ValueError(f"{l}: U+2581 is not a piece of its own")
 return e
def ag(e,a):
 o=[(0,0,1)]*a
 for r in range(len(e)):
  if not(e.is_control(r)or e.is_unknown(r)or e.is_unused(r)):i=e.id_to_piece(r);h=i.startswith(ot);o[r]=1 if e.is_byte(r)else len(i.encode())-3*h,h,0
 return t.tensor(o).T
def aw(r,h,a,device,s):
 global oy,ow,oc,og
 if any(i(h).glob('*_bytes_*')):raise ValueError(f"{h}: it has byte side files, build with the plugin that reads them")
 e=ag(ap(r,a),a);og,ow,oy=e.to(device);oc=s
def ay(a,e,r):oc.count('sentencepiece_bytes','targets',e.numel());s=og[e]+(ow[e]&~oy[a]);return s
def ab(o,h,r,a,s):
 global O,ox,ob,P,ok,ov;O=td(o)
 for l in O:tc(l)
 ob,ov,ok,ox=h,r,a,s;P=q(O[0],a)
def av(a):
 global P;i=[]
 while a>0:
  if not len(P):O.append(O.pop(0));P=q(O[0],ok)
  i.append(P[:a]);P=P[a:];a-=len(i[-1])
 return D.concatenate(i)
def ak(r,e):o=av(ov*(r+1)).reshape(ov,-1)[ob];o=t.from_numpy(o.astype(int));ox.count('sequential_loader','batches');return o[:-1].reshape(-1,e),o[1:].reshape(-1,e)
def ax(a,e):r,d=min(64,e),a-1;o=range(0,max(d-(e-r),1),r);return[Span(A,min(A+e,d),0 if A==0 else e-r)for A in o]
def aj(o):global ou;i=[{'params':e,'spec':c}for(c,e,d)in o];ou=t.optim.AdamW(i,betas=(.9,.95),eps=1e-08,fused=True)
def aq(l,s):
 for r in ou.param_groups:r['lr']=r['spec'].lr*l.d;r['weight_decay']=r['spec'].weight_decay*l.M
 ou.step();s.count('adam','steps')
@t.no_grad()
def az(e,d):global Q,om;om=0;Q=[h.detach().float().clone()for h in e]
@t.no_grad()
def aA(e,r,l):global om;om+=1;t._foreach_mul_(Q,.997);t._foreach_add_(Q,[h.detach().float()for h in e],alpha=1-.997)
@t.no_grad()
def aB(e,s):
 for(h,a)in zip(e,Q,strict=True):h.copy_(a)
 s.count('ema','updates',om)
def aC(e,d,s):E.utils.clip_grad_norm_(e,.3);s.count('grad_clip','steps')
def aD(progress,scalars,ledger):e=min(progress.step/1500,1.);c=(1-e)*.92+e*.99;ledger.u('momentum_warmup',f"momentum {c:.4f} at step {progress.step}");return scalars._replace(momentum=c)
def aE(h,a,d,i,l,s):h.mul_(1-i*.04*l.M);s.count('muon_weight_decay','tensors decayed')
def aF(o,r,i):
 a=o.shape[-2]>o.shape[-1]
 if a:o=o.mT
 o=o/(o.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for A in range(r):e=o@o.mT;h=2.0315*e@e if i else 2.0315*(e@e);o=3.4445*o+(-4.775*e+h)@o
 return o.mT if a else o
def aG(update,steps,scale_first):return aF(update.bfloat16(),steps,scale_first)
def aH(a,r):
 global M
 if M is None:M=te(aG)
 return M(a,r,False)
class MuonBank(e):weight:e;names:e;Q:e;full:e;I:e;momentum:e;x:e
def aI(e,d,r):
 global R,oq,oj,S;oj,S,oq=None,r,tt();R=[];D=t.bfloat16 if r.device.type=='cuda'else t.float32
 for(h,l)in sorted(zip(e,d,strict=True),key=lambda pair:-pair[0].numel()):*A,o,f=h.shape;n=-(-len(l)//r.world_size);u=(*l,*['']*n*r.world_size)[n*r.rank:][:n];F=[(s,o,f)for s in(n*r.world_size,n)];i,a=[t.zeros(m,dtype=D,device=r.device)for m in F];x,c=[t.zeros(m,dtype=t.bfloat16,device=r.device)for m in F];R.append(MuonBank(h,l,u,i,a,c,x))
def aJ():
 global of;of=[]
 for e in R:o=en(e.weight).bfloat16();e.full.flatten()[:o.numel()].copy_(o.flatten());of.append(er(e.I,e.full,S))
def aK(l,s):
 i=[]
 for(e,r)in zip(R,of,strict=True):
  el(r);c=S.world_size;o=(e.I/c).bfloat16();a=to(o,e.momentum,l.momentum);a=ta(a,e.Q,5);i.append((e,eh(e.x,a,S),a))
  if len(i)>1:aL(*i.pop(0),l,s)
 for h in i:aL(*h,l,s)
def aL(e,r,a,l,s):el(r);h,i=e.weight,on*l.d;o=e.x.flatten()[:h.numel()].view_as(h);aE(h,o,e.names,i,l,s);h.add_(o,alpha=-i*ti(h));s.count('parallel_muon','bank updates');s.count('newton_schulz','matrices',e.x.size(0))
def aM():global op;op=n.perf_counter()-L
def aN(s):
 global L
 if t.cuda.is_available():t.cuda.synchronize()
 L=n.perf_counter()-op;s.u('wall_clock',f"{L:.3f} seconds")
def aO(o):return 1e3*(n.perf_counter()-op)
def aP(a,r):
 if r<=0:return 1.
 if a.q>0:o=r*(a.z/max(a.step,1));return min(max(a.q-a.z,.0)/max(o,1e-09),1.)
 e=a.l-a.step;return e/r if 0<e<=r else 1.
def aQ(progress,scalars,ledger):e=aP(progress,4000);ledger.u('warmdown_iters',f"multiplier {e:.4f} at step {progress.step}");return scalars._replace(d=scalars.d*e)
def aR(h,l,a):
 if l=='head'or not a.training or'bank_qat'not in a.phases:return h
 a.a('bank_qat','matrices');r,o=ef(h.detach().float(),True);return h+(em(r,o,h.dtype)-h).detach()
def aS(progress):return progress.d<.15
class aT:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=aW:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');r,o=ef(tensor.float(),True);return{'codes':r,'step':o}
 def decode(e,name,parts,kind):return ep(parts,kind)
class B:
 name='int8'
 def __init__(e,a):e.half=a
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=aW:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');r,o=aU(tensor.float());return{'codes':r,'step':o}
 def decode(e,name,parts,kind):return ep(parts,kind)
def aU(h):
 if h.ndim==2:e=t.quantile(h.abs(),.9999984,1);o=(e/127).clamp_min(1/127);a=o.half()
 else:e=t.quantile(h.abs().flatten(),.9999984);a=o=e/127 if e>0 else e+1
 e=w(e);return eu(h.clamp(-e,e),o,127),a
def aV():return Param('qo_bank',(22,512,512),'matrix','attn',(A,r),'banks',n=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(A,A),'banks',n=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(A,),'banks',n=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(r,),'banks',n=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',h,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',r,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',A,'bigram_hash'),Param('bigram.scale',(),'scalar','control',a(p,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',a(p,value=2.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',h,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',h,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',tJ,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',r,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',a(X,std=.005),'tied_head','activation',X='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',a(X,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',a(p,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',h,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',A,'value_embedding')
def l(session):session.preparing='swa';ec(session,aa(session))
oa=256
J=None
K={}
oo=0
L=.0
oi=Group('embed',.035,.04),Group('scalar',.025,.04)
on=.025
M=None
u=Phase('bank_qat',aS,False,'bank_qat'),
os='adam','additive_skips','bank_qat','banks','bigram_hash','cross_entropy','ema','grad_clip','int6','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ortho_init','parallel_muon','partial_rope','pko','qk_gain','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','swa','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
oh=tH()
ol=3072
N={'attn':aT(),'aux':B(True),'control':B(False),'embed':B(True),'mlp':aT()}
od=9,10
if __name__=='__main__':ty(aV(),l)